// Package txtar reads and writes several small text files in one, for tests:
// a comment, then the files, each behind a line "-- name --". It is the format
// of golang.org/x/tools/txtar.
package txtar

import (
	"fmt"
	"strings"
	"testing/fstest"
)

// An Archive is a comment and some files.
type Archive struct {
	Comment string
	Files   []File
}

// A File is a file in an archive.
type File struct {
	Name string
	Data string // ends with a newline, if it is not empty
}

// Parse parses an archive. Every text is one.
func Parse(text string) *Archive {
	a := &Archive{}
	into := &a.Comment
	for line := range strings.Lines(text) {
		if name, ok := marker(line); ok {
			a.Files = append(a.Files, File{Name: name})
			into = &a.Files[len(a.Files)-1].Data
			continue
		}
		*into += line
	}
	a.Comment = ended(a.Comment)
	for i := range a.Files {
		a.Files[i].Data = ended(a.Files[i].Data)
	}
	return a
}

// Format writes the archive so that Parse gives it again.
//
// The error names a file that holds a line like those before files.
func (a *Archive) Format() (string, error) {
	var b strings.Builder
	b.WriteString(ended(a.Comment))
	for _, f := range a.Files {
		for line := range strings.Lines(f.Data) {
			if _, ok := marker(line); ok {
				return "", fmt.Errorf("file %q holds the line %q, which would begin another file", f.Name, line)
			}
		}
		fmt.Fprintf(&b, "-- %s --\n%s", f.Name, ended(f.Data))
	}
	return b.String(), nil
}

// Get returns what a file holds, and whether it is there.
func (a *Archive) Get(name string) (string, bool) {
	for _, f := range a.Files {
		if f.Name == name {
			return f.Data, true
		}
	}
	return "", false
}

// Set replaces what a file holds, or adds it at the end.
func (a *Archive) Set(name, data string) {
	for i := range a.Files {
		if a.Files[i].Name == name {
			a.Files[i].Data = data
			return
		}
	}
	a.Files = append(a.Files, File{name, data})
}

// FS returns the files below a folder, "" for all, as a file system.
func (a *Archive) FS(folder string) fstest.MapFS {
	fsys := fstest.MapFS{}
	for _, f := range a.Files {
		if name, ok := strings.CutPrefix(f.Name, folder); ok {
			fsys[name] = &fstest.MapFile{Data: []byte(f.Data), Mode: 0o444}
		}
	}
	return fsys
}

// marker returns the name in a line that begins a file.
func marker(line string) (name string, ok bool) {
	line = strings.TrimRight(line, "\r\n")
	inner, ok := strings.CutPrefix(line, "-- ")
	if !ok {
		return "", false
	}
	inner, ok = strings.CutSuffix(inner, " --")
	name = strings.TrimSpace(inner)
	return name, ok && name != ""
}

func ended(text string) string {
	if text == "" || strings.HasSuffix(text, "\n") {
		return text
	}
	return text + "\n"
}

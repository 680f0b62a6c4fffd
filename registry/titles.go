package registry

import (
	"fmt"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"
	"time"
)

// Titles are files by their paths: an [fs.FS]. Folders are those that paths
// imply. It is safe for concurrent use once all files are added.
type titles map[string]titledFile

// A titledFile is opened when it is asked for.
type titledFile struct {
	size int64
	open func() (content, error)
}

type content interface {
	io.ReadSeekCloser
	io.ReaderAt
}

// add adds a file. The name comes from a registry.
func (t titles) add(name string, f titledFile) error {
	if !fs.ValidPath(name) || name == "." || strings.ContainsAny(name, "\\\x00") {
		return fmt.Errorf("title %.200q: not the path of a file", name)
	}
	for dir := name; dir != "."; dir = path.Dir(dir) {
		if _, taken := t[dir]; taken {
			return fmt.Errorf("title %.200q: another layer has this name, or that of a folder in it", name)
		}
	}
	if len(t.entries(name)) > 0 {
		return fmt.Errorf("title %.200q: both a file and a folder", name)
	}
	t[name] = f
	return nil
}

// Open implements [fs.FS]. What was evicted from the cache since it was fetched,
// or damaged, does not exist.
func (t titles) Open(name string) (fs.File, error) {
	if !fs.ValidPath(name) {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrInvalid}
	}
	f, ok := t[name]
	if !ok {
		entries := t.entries(name)
		if len(entries) == 0 && name != "." {
			return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
		}
		return &titledDir{titledInfo{name: path.Base(name), dir: true}, entries, 0}, nil
	}
	opened, err := f.open()
	if err != nil {
		return nil, &fs.PathError{Op: "open", Path: name, Err: err}
	}
	return openTitle{opened, titledInfo{name: path.Base(name), size: f.size}}, nil
}

// entries returns what is in a folder, sorted by name.
func (t titles) entries(dir string) []fs.DirEntry {
	found := map[string]titledInfo{}
	for name, f := range t {
		below, ok := strings.CutPrefix(name, dir+"/")
		if dir == "." {
			below, ok = name, true
		}
		if !ok {
			continue
		}
		first, _, isDir := strings.Cut(below, "/")
		info := titledInfo{name: first, dir: isDir}
		if !isDir {
			info.size = f.size
		}
		found[first] = info
	}
	entries := make([]fs.DirEntry, 0, len(found))
	for _, info := range found {
		entries = append(entries, fs.FileInfoToDirEntry(info))
	}
	slices.SortFunc(entries, func(a, b fs.DirEntry) int { return strings.Compare(a.Name(), b.Name()) })
	return entries
}

type titledInfo struct {
	name string
	size int64
	dir  bool
}

func (i titledInfo) Name() string       { return i.name }
func (i titledInfo) Size() int64        { return i.size }
func (i titledInfo) ModTime() time.Time { return time.Time{} }
func (i titledInfo) IsDir() bool        { return i.dir }
func (i titledInfo) Sys() any           { return nil }
func (i titledInfo) Mode() fs.FileMode {
	if i.dir {
		return fs.ModeDir | 0o555
	}
	return 0o444
}

type openTitle struct {
	content
	info titledInfo
}

func (f openTitle) Stat() (fs.FileInfo, error) { return f.info, nil }

type titledDir struct {
	titledInfo
	entries []fs.DirEntry
	read    int
}

func (d *titledDir) Stat() (fs.FileInfo, error) { return d.titledInfo, nil }
func (d *titledDir) Close() error               { return nil }
func (d *titledDir) Read([]byte) (int, error) {
	return 0, &fs.PathError{Op: "read", Path: d.name, Err: fs.ErrInvalid}
}

// ReadDir implements [fs.ReadDirFile].
func (d *titledDir) ReadDir(n int) ([]fs.DirEntry, error) {
	rest := d.entries[d.read:]
	if n > 0 && len(rest) == 0 {
		return nil, io.EOF
	}
	if n > 0 {
		rest = rest[:min(n, len(rest))]
	}
	d.read += len(rest)
	return slices.Clone(rest), nil
}

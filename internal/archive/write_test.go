package archive_test

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"testing/fstest"
	"time"

	"github.com/strata-go/strata/internal/archive"
)

func write(t *testing.T, fsys fs.FS) []byte {
	t.Helper()
	var buf bytes.Buffer
	if err := archive.WriteTarGz(&buf, fsys, "pack"); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

func TestWriteTarGzRoundTrip(t *testing.T) {
	t.Parallel()
	want := fstest.MapFS{
		"pack.json":    {Data: []byte("{}")},
		"charts/a.tgz": {Data: bytes.Repeat([]byte("x"), 5000)},
		"empty":        {},
	}
	got, err := archive.ReadTarGz(bytes.NewReader(write(t, want)), archive.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	for name, file := range want {
		if data, err := fs.ReadFile(got, "pack/"+name); err != nil || !bytes.Equal(data, file.Data) {
			t.Errorf("%s: got %q, %v", name, data, err)
		}
	}
}

func TestWriteTarGzIsDeterministic(t *testing.T) {
	t.Parallel()
	memory := fstest.MapFS{"b/c": {Data: []byte("1")}, "a": {Data: []byte("2")}, "b-c": {Data: []byte("3")}}
	disk := t.TempDir()
	for _, name := range []string{"b-c", "a", "b/c"} { // another order of creation
		path := filepath.Join(disk, name)
		for _, err := range []error{
			os.MkdirAll(filepath.Dir(path), 0o700),
			os.WriteFile(path, memory[name].Data, 0o755),
			os.Chtimes(path, time.Time{}, time.Unix(1e9, 0)),
			os.MkdirAll(filepath.Join(disk, "empty"), 0o700),
		} {
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	if !bytes.Equal(write(t, memory), write(t, os.DirFS(disk))) {
		t.Error("equal files in two places give different archives")
	}
	memory["a"].Data = []byte("4")
	if bytes.Equal(write(t, memory), write(t, os.DirFS(disk))) {
		t.Error("different files give equal archives")
	}
}

func TestWriteTarGzRefuses(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		fsys fs.FS
		want archive.Problem
	}{
		"link":      {fstest.MapFS{"a": {Data: []byte("/etc/passwd"), Mode: fs.ModeSymlink}}, archive.Link},
		"device":    {fstest.MapFS{"a": {Mode: fs.ModeDevice}}, archive.Special},
		"backslash": {fstest.MapFS{`a\b`: {}}, archive.BadPath},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			err := archive.WriteTarGz(new(bytes.Buffer), test.fsys, "")
			var problem *archive.Error
			if !errors.As(err, &problem) || problem.Problem != test.want {
				t.Errorf("got %v; want %q", err, test.want)
			}
		})
	}
}

func TestRoot(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		files []string
		ok    bool
	}{
		"at the top":                 {[]string{"pack.json", "a/pack.json"}, true},
		"in the only folder":         {[]string{"p/pack.json", "p/q/r"}, true},
		"beside a file":              {[]string{"p/pack.json", "._p"}, true},
		"in one folder of two":       {[]string{"p/pack.json", "q/a"}, false},
		"in a folder of the folder":  {[]string{"p/q/pack.json"}, false},
		"nowhere, not even a folder": {nil, false},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			fsys := fstest.MapFS{}
			for _, f := range test.files {
				fsys[f] = &fstest.MapFile{}
			}
			root, err := archive.Root(fsys, "pack.json")
			if test.ok {
				if err == nil {
					_, err = fs.Stat(root, "pack.json")
				}
				if err != nil {
					t.Error(err)
				}
			} else if !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("got %v; want fs.ErrNotExist", err)
			}
		})
	}
}

func TestWriteTar(t *testing.T) {
	t.Parallel()
	files := fstest.MapFS{"b": {Data: []byte("1")}, "a/large": {Data: make([]byte, 1<<20)}}
	var first, second bytes.Buffer
	for _, buf := range []*bytes.Buffer{&first, &second} {
		if err := archive.WriteTar(buf, files, archive.Limits{}); err != nil {
			t.Fatal(err)
		}
		files["b"].ModTime = time.Now()
	}
	if !bytes.Equal(first.Bytes(), second.Bytes()) {
		t.Error("equal files give different bytes")
	}
	got, err := archive.ReadTarGz(&first, archive.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	if err := fstest.TestFS(got, "b", "a/large"); err != nil {
		t.Error(err)
	}
	var problem *archive.Error
	err = archive.WriteTar(io.Discard, files, archive.Limits{File: 10})
	if !errors.As(err, &problem) || problem.Problem != archive.FileTooLarge || problem.Entry != "a/large" {
		t.Errorf("got %v; want a/large to be too large", err)
	}
}

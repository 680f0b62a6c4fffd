package archive_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"
	"testing/iotest"

	"github.com/strata-go/strata/internal/archive"
	"github.com/strata-go/strata/internal/realpacks"
)

// entries builds a tar file. A header without a type is a regular file of its
// size, filled with x.
func entries(t testing.TB, headers ...tar.Header) []byte {
	t.Helper()
	var buf bytes.Buffer
	w := tar.NewWriter(&buf)
	for _, h := range headers {
		if h.Typeflag == 0 {
			h.Typeflag = tar.TypeReg
		}
		if h.Typeflag != tar.TypeXGlobalHeader {
			h.Mode = 0o600
		}
		if err := w.WriteHeader(&h); err != nil {
			t.Fatal(err)
		}
		if _, err := io.CopyN(w, endless{}, h.Size); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

type endless struct{}

func (endless) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = 'x'
	}
	return len(p), nil
}

func zip(t testing.TB, data []byte) []byte {
	t.Helper()
	var buf bytes.Buffer
	w := gzip.NewWriter(&buf)
	if _, err := w.Write(data); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

func file(name string) tar.Header   { return tar.Header{Name: name, Size: 3} }
func folder(name string) tar.Header { return tar.Header{Name: name, Typeflag: tar.TypeDir} }
func link(kind byte, to string) tar.Header {
	return tar.Header{Name: "a", Typeflag: kind, Linkname: to}
}

func TestReadTarGz(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("long/", 60) + "name" // needs a PAX header
	plain := entries(t, folder("./"), folder("p/"), folder("p/"), file("p/pack.json"),
		file("./p//charts/a.tgz"), file("p/._pack.json"), file(long),
		tar.Header{Typeflag: tar.TypeXGlobalHeader, PAXRecords: map[string]string{"comment": "x"}})
	padded := append(bytes.Clone(plain), make([]byte, 8192)...)
	twoMembers := append(zip(t, plain[:700]), zip(t, plain[700:])...)

	for name, data := range map[string][]byte{
		"plain": plain, "gzip": zip(t, plain), "padded": padded, "padded gzip": zip(t, padded), "two members": twoMembers,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := archive.ReadTarGz(iotest.OneByteReader(bytes.NewReader(data)), archive.Limits{})
			if err != nil {
				t.Fatal(err)
			}
			if err := fstest.TestFS(got, "p/pack.json", "p/charts/a.tgz", "p/._pack.json", long); err != nil {
				t.Error(err)
			}
			if data, err := fs.ReadFile(got, "p/pack.json"); err != nil || string(data) != "xxx" {
				t.Errorf("p/pack.json = %q, %v", data, err)
			}
		})
	}
}

func TestReadTarGzRefuses(t *testing.T) {
	t.Parallel()
	good := entries(t, file("a"), file("b"))
	small := archive.Limits{Total: 8 << 10, File: 4 << 10, Entries: 3}
	tests := map[string]struct {
		data []byte
		want archive.Problem
	}{
		"absolute path":         {entries(t, file("/etc/passwd")), archive.BadPath},
		"parent":                {entries(t, file("../a")), archive.BadPath},
		"parent inside":         {entries(t, file("a/../../b")), archive.BadPath},
		"parent as folder":      {entries(t, folder("../")), archive.BadPath},
		"backslash":             {entries(t, file(`..\a`)), archive.BadPath},
		"not UTF-8":             {entries(t, tar.Header{Name: "a\xff", Format: tar.FormatGNU}), archive.BadPath},
		"endless path":          {entries(t, file(strings.Repeat("a/", 3000)+"b")), archive.BadPath},
		"file without a name":   {entries(t, file("./.")), archive.FileAndFolder},
		"symbolic link":         {entries(t, link(tar.TypeSymlink, "b")), archive.Link},
		"hard link":             {entries(t, file("b"), link(tar.TypeLink, "b")), archive.Link},
		"fifo":                  {entries(t, link(tar.TypeFifo, "")), archive.Special},
		"character device":      {entries(t, link(tar.TypeChar, "")), archive.Special},
		"block device":          {entries(t, link(tar.TypeBlock, "")), archive.Special},
		"twice":                 {entries(t, file("a/b"), file("./a//b")), archive.Duplicate},
		"file then folder":      {entries(t, file("a"), folder("a")), archive.FileAndFolder},
		"file then its content": {entries(t, file("a"), file("a/b")), archive.FileAndFolder},
		"folder then file":      {entries(t, file("a/b"), file("a")), archive.FileAndFolder},
		"many files":            {entries(t, file("a"), file("b"), file("c"), file("d")), archive.TooManyEntries},
		"many implied folders":  {entries(t, file("a/b/c/d")), archive.TooManyEntries},
		"large file":            {entries(t, tar.Header{Name: "a", Size: 4<<10 + 1}), archive.FileTooLarge},
		"large in all": {entries(t, tar.Header{Name: "a", Size: 4 << 10}, tar.Header{Name: "b", Size: 4 << 10}),
			archive.TooLarge},
		"nothing":           {nil, archive.Truncated},
		"cut between files": {good[:1024], archive.Truncated},
		"cut in a header":   {good[:1100], archive.Truncated},
		"cut in a file":     {good[:514], archive.Truncated},
		"cut in the marker": {good[:len(good)-512], archive.Truncated},
		"cut gzip":          {zip(t, good)[:60], archive.Truncated},
		"no gzip checksum":  {zip(t, good)[:len(zip(t, good))-4], archive.Truncated},
		"behind the marker": {append(bytes.Clone(good), "hidden"...), archive.Trailing},
		"behind the gzip":   {append(zip(t, good), "0123456789 hidden"...), archive.Trailing},
		"a second archive":  {append(bytes.Clone(good), good...), archive.Trailing},
		"not an archive":    {endlessBytes(2048), archive.Malformed},
		"broken gzip":       {append([]byte{0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff}, endlessBytes(64)...), archive.Malformed},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := archive.ReadTarGz(bytes.NewReader(test.data), small)
			var problem *archive.Error
			if !errors.As(err, &problem) {
				t.Fatalf("got %v, %v; want an *archive.Error", got, err)
			}
			if problem.Problem != test.want {
				t.Errorf("got %v; want problem %q", err, test.want)
			}
		})
	}
}

func endlessBytes(n int) []byte {
	b := make([]byte, n)
	_, _ = endless{}.Read(b)
	return b
}

// A bomb is stopped by what it unpacks to, not by what it is.
func TestReadTarGzBomb(t *testing.T) {
	t.Parallel()
	pr, pw := io.Pipe()
	produced := make(chan int64, 1)
	go func() {
		compressed := gzip.NewWriter(pw)
		w := tar.NewWriter(compressed)
		_ = w.WriteHeader(&tar.Header{Name: "bomb", Size: 10 << 30, Typeflag: tar.TypeReg})
		n, _ := io.CopyN(w, endless{}, 10<<30)
		produced <- n
	}()
	_, err := archive.ReadTarGz(pr, archive.Limits{Total: 1 << 20, File: 20 << 30})
	pr.Close()
	var problem *archive.Error
	if !errors.As(err, &problem) || problem.Problem != archive.TooLarge || problem.Entry != "bomb" {
		t.Errorf("got %v; want bomb to be too large", err)
	}
	// The compressor runs ahead by what its own buffers hold, unpacked.
	if n := <-produced; n > 1<<30 {
		t.Errorf("read on for %d bytes", n)
	}
}

func TestReadTarGzPassesReadErrorsOn(t *testing.T) {
	t.Parallel()
	cause := errors.New("cable unplugged")
	r := io.MultiReader(bytes.NewReader(entries(t, file("a"))[:512]), iotest.ErrReader(cause))
	if _, err := archive.ReadTarGz(r, archive.Limits{}); !errors.Is(err, cause) {
		t.Errorf("got %v; want %v", err, cause)
	}
}

func TestFSIsReadOnly(t *testing.T) {
	t.Parallel()
	fsys, err := archive.ReadTarGz(bytes.NewReader(entries(t, file("a"))), archive.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	data, err := fsys.ReadFile("a")
	if err != nil {
		t.Fatal(err)
	}
	data[0] = '!'
	if again, _ := fsys.ReadFile("a"); string(again) != "xxx" {
		t.Errorf("the content changed to %q", again)
	}
}

// Every chart in a folder of real packs can be read.
func TestReadRealCharts(t *testing.T) {
	t.Parallel()
	dir := realpacks.Dir(t)
	charts, err := filepath.Glob(filepath.Join(dir, "*", "charts", "*.tgz"))
	if err != nil || len(charts) == 0 {
		t.Fatalf("no charts in %s: %v", dir, err)
	}
	for _, name := range charts {
		f, err := os.Open(name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := archive.ReadTarGz(f, archive.Limits{}); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		f.Close()
	}
}

func FuzzReadTarGz(f *testing.F) {
	f.Add(entries(f, folder("p"), file("p/a"), link(tar.TypeSymlink, "b")))
	f.Add(entries(f, folder("./"), file("p/a"), file("b")))
	f.Add(zip(f, entries(f, file("p/"+strings.Repeat("long/", 60)+"a"))))
	limits := archive.Limits{Total: 1 << 20, File: 64 << 10, Entries: 100}
	f.Fuzz(func(t *testing.T, data []byte) {
		fsys, err := archive.ReadTarGz(bytes.NewReader(data), limits)
		if err != nil {
			if _, ok := errors.AsType[*archive.Error](err); !ok {
				t.Fatalf("not an *archive.Error: %v", err)
			}
			return
		}
		var total int64
		count := 0
		err = fs.WalkDir(fsys, ".", func(name string, d fs.DirEntry, err error) error {
			if err != nil {
				return err
			}
			info, err := d.Info()
			if err != nil {
				return err
			}
			total += info.Size()
			count++
			return nil
		})
		if err != nil || total > limits.Total || count > limits.Entries+1 {
			t.Fatalf("%d entries of %d bytes: %v", count, total, err)
		}
	})
}

// Walk is the same reader: it visits what ReadTarGz returns, and refuses what
// that refuses, before or after it has visited what comes first.
func TestWalk(t *testing.T) {
	t.Parallel()
	var names []string
	data := zip(t, entries(t, folder("p"), file("p/a"), file("./p//b"), tar.Header{Name: "large", Size: 1 << 20}))
	err := archive.Walk(bytes.NewReader(data), archive.Limits{}, func(name string, size int64, content io.Reader) error {
		names = append(names, name)
		if name == "large" {
			return nil // not read, and skipped
		}
		got, err := io.ReadAll(content)
		if err != nil || string(got) != "xxx" || size != 3 {
			t.Errorf("%s: got %q of %d, %v", name, got, size, err)
		}
		return nil
	})
	if err != nil || !slices.Equal(names, []string{"p/a", "p/b", "large"}) {
		t.Errorf("visited %q, %v", names, err)
	}

	cause := errors.New("enough")
	err = archive.Walk(bytes.NewReader(data), archive.Limits{}, func(string, int64, io.Reader) error { return cause })
	if !errors.Is(err, cause) {
		t.Errorf("got %v; want %v", err, cause)
	}
	for name, bad := range map[string][]byte{
		"link":      entries(t, file("a"), link(tar.TypeSymlink, "b")),
		"twice":     entries(t, file("a"), file("a")),
		"traversal": entries(t, file("../a")),
		"truncated": data[:len(data)/2],
	} {
		err := archive.Walk(bytes.NewReader(bad), archive.Limits{}, func(string, int64, io.Reader) error { return nil })
		if _, ok := errors.AsType[*archive.Error](err); !ok {
			t.Errorf("%s: got %v; want an *archive.Error", name, err)
		}
	}
}

// A million entries are refused by their number, not by what they cost.
func TestWalkMillionsOfEntries(t *testing.T) {
	t.Parallel()
	pr, pw := io.Pipe()
	go func() {
		w := tar.NewWriter(pw)
		for i := range 2_000_000 {
			if err := w.WriteHeader(&tar.Header{Name: strconv.Itoa(i), Typeflag: tar.TypeReg, Mode: 0o600}); err != nil {
				return
			}
		}
	}()
	visited := 0
	err := archive.Walk(pr, archive.Limits{Total: 4 << 30}, func(string, int64, io.Reader) error { visited++; return nil })
	pr.Close()
	var problem *archive.Error
	if !errors.As(err, &problem) || problem.Problem != archive.TooManyEntries || visited != 100_000 {
		t.Errorf("visited %d, got %v; want too many entries", visited, err)
	}
}

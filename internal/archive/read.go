package archive

import (
	"archive/tar"
	"bufio"
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"io/fs"
	"strings"
)

// endMarker is the size of the two blocks of zeros that end a tar file.
const endMarker = 1024

// ReadTarGz unpacks a tar file, compressed with gzip or not, into memory. It
// reads r to its end, where only the padding of the archive may follow.
//
// Errors are [*Error]; the first problem ends the reading.
func ReadTarGz(r io.Reader, limits Limits) (*FS, error) {
	limits = limits.orDefault()
	tree := newTree(limits.Entries)
	err := walk(r, limits, tree, func(name string, size int64, content io.Reader) error {
		var buf bytes.Buffer
		buf.Grow(int(min(size, 1<<20))) // a header alone must not make us allocate much
		_, err := io.Copy(&buf, content)
		tree.nodes[name].data = bytes.Clone(buf.Bytes())
		return err
	})
	if err != nil {
		return nil, err
	}
	return tree.seal(), nil
}

// Walk reads a tar file as [ReadTarGz] does, with the same rules, but keeps no
// content: it calls visit for each regular file, in the order of the archive,
// with the file's path, size and content. What visit does not read is skipped;
// its error ends the reading, and is the cause of the [*Error].
//
// That the archive is whole is known when Walk returns nil, and not before.
func Walk(r io.Reader, limits Limits, visit func(name string, size int64, content io.Reader) error) error {
	limits = limits.orDefault()
	return walk(r, limits, newTree(limits.Entries), visit)
}

type visitor func(name string, size int64, content io.Reader) error

func walk(r io.Reader, limits Limits, tree *tree, visit visitor) error {
	stream, err := decompress(r)
	if err != nil {
		return wrap("", err)
	}
	m := &meter{r: stream, max: limits.Total}
	w := walker{tar: tar.NewReader(m), tree: tree, limits: limits, visit: visit}
	for {
		before := m.n
		header, err := w.tar.Next()
		if errors.Is(err, io.EOF) {
			// The tar reader is content with a stream that just stops between
			// two entries. All that stands before the marker is padding, of
			// less than half its size.
			if m.n-before < endMarker {
				return &Error{Problem: Truncated}
			}
			break
		}
		if err != nil {
			return wrap("", err)
		}
		if err := w.entry(header); err != nil {
			return wrap(header.Name, err)
		}
	}
	if err := onlyZeros(m); err != nil {
		return wrap("", err)
	}
	return nil
}

// decompress returns the tar stream in r.
func decompress(r io.Reader) (io.Reader, error) {
	buffered := bufio.NewReader(r)
	magic, err := buffered.Peek(2)
	if err != nil {
		return nil, err
	}
	if bytes.Equal(magic, []byte{0x1f, 0x8b}) {
		return gzip.NewReader(buffered)
	}
	return buffered, nil
}

// onlyZeros reads r to its end. Content behind the end marker is refused, since
// some readers of archives see it and others do not.
func onlyZeros(r io.Reader) error {
	buf := make([]byte, 4096)
	for {
		n, err := r.Read(buf)
		if len(bytes.Trim(buf[:n], "\x00")) > 0 {
			return &Error{Problem: Trailing}
		}
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case errors.Is(err, gzip.ErrHeader):
			return &Error{Problem: Trailing, Err: err}
		case err != nil:
			return err
		}
	}
}

type walker struct {
	tar    *tar.Reader
	tree   *tree // of what was there so far
	limits Limits
	total  int64 // of files as unpacked: sparse ones are larger than what is read
	visit  visitor
}

func (w *walker) entry(h *tar.Header) error {
	if h.Typeflag == tar.TypeXGlobalHeader {
		return nil
	}
	name, err := cleanName(h.Name)
	if err != nil {
		return err
	}
	switch h.Typeflag {
	case tar.TypeDir:
		return w.tree.addDir(name)
	case tar.TypeReg:
		return w.file(name, h.Size)
	case tar.TypeLink, tar.TypeSymlink:
		return &Error{Problem: Link}
	}
	return &Error{Problem: Special}
}

func (w *walker) file(name string, size int64) error {
	if size > w.limits.File {
		return &Error{Problem: FileTooLarge}
	}
	if w.total += size; w.total > w.limits.Total {
		return &Error{Problem: TooLarge}
	}
	if err := w.tree.addFile(name, nil); err != nil {
		return err
	}
	return w.visit(name, size, w.tar)
}

// cleanName returns the path of an entry as package fs writes it, "." for the
// root.
func cleanName(name string) (string, error) {
	bad := &Error{Problem: BadPath}
	if len(name) > maxName || strings.HasPrefix(name, "/") || strings.ContainsAny(name, "\\\x00") {
		return "", bad
	}
	var elems []string
	for elem := range strings.SplitSeq(name, "/") {
		if elem != "" && elem != "." { // as in "./a", "a//b" and "a/"
			elems = append(elems, elem)
		}
	}
	if len(elems) == 0 {
		return ".", nil
	}
	clean := strings.Join(elems, "/")
	if !fs.ValidPath(clean) {
		return "", bad
	}
	return clean, nil
}

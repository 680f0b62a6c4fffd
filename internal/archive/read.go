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
	stream, err := decompress(r)
	if err != nil {
		return nil, wrap("", err)
	}
	m := &meter{r: stream, max: limits.Total}
	u := unpacker{tar: tar.NewReader(m), tree: newTree(limits.Entries), limits: limits}
	for {
		before := m.n
		header, err := u.tar.Next()
		if errors.Is(err, io.EOF) {
			// The tar reader is content with a stream that just stops between
			// two entries. All that stands before the marker is padding, of
			// less than half its size.
			if m.n-before < endMarker {
				return nil, &Error{Problem: Truncated}
			}
			break
		}
		if err != nil {
			return nil, wrap("", err)
		}
		if err := u.entry(header); err != nil {
			return nil, wrap(header.Name, err)
		}
	}
	if err := onlyZeros(m); err != nil {
		return nil, wrap("", err)
	}
	return u.tree.seal(), nil
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

type unpacker struct {
	tar    *tar.Reader
	tree   *tree
	limits Limits
	total  int64 // of files as unpacked: sparse ones are larger than what is read
}

func (u *unpacker) entry(h *tar.Header) error {
	if h.Typeflag == tar.TypeXGlobalHeader {
		return nil
	}
	name, err := cleanName(h.Name)
	if err != nil {
		return err
	}
	switch h.Typeflag {
	case tar.TypeDir:
		return u.tree.addDir(name)
	case tar.TypeReg:
		data, err := u.content(h.Size)
		if err != nil {
			return err
		}
		return u.tree.addFile(name, data)
	case tar.TypeLink, tar.TypeSymlink:
		return &Error{Problem: Link}
	}
	return &Error{Problem: Special}
}

func (u *unpacker) content(size int64) ([]byte, error) {
	if size > u.limits.File {
		return nil, &Error{Problem: FileTooLarge}
	}
	if u.total += size; u.total > u.limits.Total {
		return nil, &Error{Problem: TooLarge}
	}
	var buf bytes.Buffer
	buf.Grow(int(min(size, 1<<20))) // a header alone must not make us allocate much
	_, err := io.Copy(&buf, u.tar)
	return bytes.Clone(buf.Bytes()), err
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

package archive

import (
	"archive/tar"
	"compress/gzip"
	"io"
	"io/fs"
	"path"
	"time"
)

// WriteTarGz writes the regular files of fsys as a .tar.gz file, each under
// the folder prefix ("" for none). Equal files give equal bytes. Folders have
// no entries of their own, so that an empty one, which version control does
// not keep, makes no difference.
//
// Errors are [*Error]: links, special files and names that [ReadTarGz] refuses
// are refused here too, and so are files beyond the default [Limits].
func WriteTarGz(w io.Writer, fsys fs.FS, prefix string) error {
	compressed, err := gzip.NewWriterLevel(w, gzip.BestCompression)
	if err != nil {
		return wrap("", err)
	}
	p := packer{tar: tar.NewWriter(compressed), fsys: fsys, prefix: prefix, limits: Limits{}.orDefault()}
	if err := p.all(); err != nil {
		return err
	}
	if err := compressed.Close(); err != nil {
		return wrap("", err)
	}
	return nil
}

// WriteTar writes the regular files of fsys as a tar file that is not
// compressed, with limits of the caller's. Else it is as [WriteTarGz].
func WriteTar(w io.Writer, fsys fs.FS, limits Limits) error {
	p := packer{tar: tar.NewWriter(w), fsys: fsys, limits: limits.orDefault()}
	return p.all()
}

type packer struct {
	tar    *tar.Writer
	fsys   fs.FS
	prefix string
	limits Limits // what is left of them
}

func (p *packer) all() error {
	err := fs.WalkDir(p.fsys, ".", func(name string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			err = p.file(name, d)
		}
		if err != nil {
			return wrap(name, err)
		}
		return nil
	})
	if err != nil {
		return err
	}
	if err := p.tar.Close(); err != nil {
		return wrap("", err)
	}
	return nil
}

func (p *packer) file(name string, d fs.DirEntry) error {
	if d.Type()&fs.ModeSymlink != 0 {
		return &Error{Problem: Link}
	}
	if !d.Type().IsRegular() {
		return &Error{Problem: Special}
	}
	entry := path.Join(p.prefix, name)
	if clean, err := cleanName(entry); err != nil || clean != entry {
		return &Error{Problem: BadPath}
	}
	// Checked before the file is read, so that a huge one is not.
	info, err := d.Info()
	if err != nil {
		return err
	}
	if info.Size() > p.limits.File {
		return &Error{Problem: FileTooLarge}
	}
	if p.limits.Entries--; p.limits.Entries < 0 {
		return &Error{Problem: TooManyEntries}
	}
	if p.limits.Total -= info.Size(); p.limits.Total < 0 {
		return &Error{Problem: TooLarge}
	}
	return p.write(entry, name, info.Size())
}

// write copies a file. The tar writer refuses one that has grown or shrunk in
// the meantime.
func (p *packer) write(entry, name string, size int64) error {
	f, err := p.fsys.Open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	header := &tar.Header{
		Typeflag: tar.TypeReg,
		Name:     entry,
		Size:     size,
		Mode:     0o644,
		ModTime:  time.Unix(0, 0),
	}
	if err := p.tar.WriteHeader(header); err != nil {
		return err
	}
	if _, err := io.Copy(p.tar, f); err != nil {
		return err
	}
	return p.tar.Flush() // fails if something is missing
}

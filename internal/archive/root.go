package archive

import (
	"fmt"
	"io/fs"
)

// Root returns the folder of fsys that holds the named file: its root, or its
// only top-level folder, since archives are made both of a folder and of what
// is in it. If neither has the file, the error wraps [fs.ErrNotExist].
func Root(fsys fs.FS, file string) (fs.FS, error) {
	if _, err := fs.Stat(fsys, file); err == nil {
		return fsys, nil
	}
	entries, err := fs.ReadDir(fsys, ".")
	if err != nil {
		return nil, err
	}
	var folders []string
	for _, e := range entries {
		if e.IsDir() {
			folders = append(folders, e.Name())
		}
	}
	if len(folders) == 1 {
		sub, err := fs.Sub(fsys, folders[0])
		if err != nil {
			return nil, err
		}
		if _, err := fs.Stat(sub, file); err == nil {
			return sub, nil
		}
	}
	return nil, fmt.Errorf("%s: %w at the top or in the only folder there", file, fs.ErrNotExist)
}

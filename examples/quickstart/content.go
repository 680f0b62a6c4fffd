package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/strata-go/strata/layer"
	"github.com/strata-go/strata/profile"
	"github.com/strata-go/strata/registry"
)

//go:embed all:content
var content embed.FS

// load reads profiles of ours. Your program may have them in files: see
// profile.Load.
func load(names ...string) ([]*profile.Profile, error) {
	var profiles []*profile.Profile
	for _, name := range names {
		data, err := content.ReadFile("content/profiles/" + name + ".yaml")
		if err != nil {
			return nil, err
		}
		p, err := profile.Parse(data)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		profiles = append(profiles, p)
	}
	return profiles, nil
}

// push stores our packs and charts in a registry.
func push(ctx context.Context, client *registry.Client, to string) ([]layer.Pin, error) {
	var pins []layer.Pin
	each := func(folder string, push func(fs.FS) (layer.Pin, error)) error {
		folders, err := content.ReadDir(folder)
		if err != nil {
			return err
		}
		for _, f := range folders {
			files, err := fs.Sub(content, path.Join(folder, f.Name()))
			if err != nil {
				return err
			}
			pin, err := push(files)
			if err != nil {
				return err
			}
			pins = append(pins, pin)
		}
		return nil
	}
	err := errors.Join(
		each("content/packs", func(files fs.FS) (layer.Pin, error) { return pushPack(ctx, client, to, files) }),
		each("content/charts", func(files fs.FS) (layer.Pin, error) { return client.PushChart(ctx, to, files) }),
	)
	return pins, err
}

// pushPack archives the charts of a pack, which our sources hold as folders, and
// pushes it.
func pushPack(ctx context.Context, client *registry.Client, to string, files fs.FS) (layer.Pin, error) {
	dir, err := os.MkdirTemp("", "quickstart-")
	if err != nil {
		return layer.Pin{}, err
	}
	defer os.RemoveAll(dir)
	if err := os.CopyFS(dir, files); err != nil {
		return layer.Pin{}, err
	}
	data, err := fs.ReadFile(files, "pack.json")
	if err != nil {
		return layer.Pin{}, err
	}
	var pack struct{ Charts []string }
	if err := json.Unmarshal(data, &pack); err != nil {
		return layer.Pin{}, err
	}
	for _, file := range pack.Charts { // "charts/collector-2.3.0.tgz"
		folder := file[:strings.LastIndex(file, "-")]
		archive, err := archived(files, folder)
		if err != nil {
			return layer.Pin{}, err
		}
		if err := os.WriteFile(filepath.Join(dir, file), archive, 0o600); err != nil {
			return layer.Pin{}, err
		}
	}
	return client.PushPack(ctx, to, os.DirFS(dir))
}

// archived returns the folder of a chart as "helm package" makes it: a .tgz with
// the folder at its top. Equal files give equal bytes.
func archived(files fs.FS, folder string) ([]byte, error) {
	var buf bytes.Buffer
	zipped := gzip.NewWriter(&buf)
	out := tar.NewWriter(zipped)
	err := fs.WalkDir(files, folder, func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		data, err := fs.ReadFile(files, name)
		if err != nil {
			return err
		}
		inside := strings.TrimPrefix(name, path.Dir(folder)+"/")
		if err := out.WriteHeader(&tar.Header{Name: inside, Mode: 0o644, Size: int64(len(data))}); err != nil {
			return err
		}
		_, err = out.Write(data)
		return err
	})
	err = errors.Join(err, out.Close(), zipped.Close())
	return buf.Bytes(), err
}

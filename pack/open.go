package pack

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/strata-go/strata/internal/archive"
	"github.com/strata-go/strata/layer"
)

const (
	packFile   = "pack.json"
	valuesFile = "values.yaml"

	maxPackFile   = 1 << 20
	maxValuesFile = 16 << 20
)

// Names and versions become parts of an OCI reference, which bounds what they
// may be, and keeps paths out of them.
var (
	namePattern    = regexp.MustCompile(`^[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*$`)
	versionPattern = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9._+-]{0,127}$`)
)

// Open reads the pack in fsys: its root is the pack directory, or has the pack
// directory as its only folder. Fields of pack.json that are not known are
// ignored; values.yaml is not parsed. Charts and manifests that are named and
// not there do not keep a pack from being read, stored or moved, only from
// being installed: see [Pack.Complete].
//
// All defects are reported at once, each as an [*Error], joined.
func Open(fsys fs.FS) (*Pack, error) {
	p, errs := open(fsys)
	if len(errs) > 0 {
		return nil, errors.Join(errs...)
	}
	return p, nil
}

// Complete returns an error unless every file that the pack names is there:
// [*Error]s, joined, which wrap [fs.ErrNotExist].
func (p *Pack) Complete() error { return errors.Join(p.missing...) }

// open returns as much of the pack as can be read, or nil if there is no JSON
// to read, and all defects by their places, but for [Pack.Complete]'s.
func open(fsys fs.FS) (*Pack, []error) {
	root, err := archive.Root(fsys, packFile)
	if err != nil {
		return nil, []error{&Error{Err: err}}
	}
	data, err := read(root, packFile, maxPackFile)
	if err != nil {
		return nil, []error{&Error{File: packFile, Err: err}}
	}
	parsed, offset, err := parseJSON(data)
	d := &decoder{data: data}
	if err != nil {
		d.report(offset, "", err)
		return nil, d.errs
	}
	o := d.open(parsed, "")
	p := &Pack{files: root}
	p.identity(o)
	p.content(o)
	p.Constraints = constraints(o)
	p.Values, err = read(root, valuesFile, maxValuesFile)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		d.errs = append(d.errs, &Error{File: valuesFile, Err: err})
	}
	slices.SortStableFunc(d.errs, byPlace)
	p.missing = d.missing
	return p, d.errs
}

// identity reads what the pack is.
func (p *Pack) identity(o object) {
	p.Name = o.required("name")
	if p.Name != "" && !namePattern.MatchString(p.Name) {
		o.report(o.object["name"].offset, "name",
			fmt.Errorf("%q cannot name a pack: want lower-case letters and digits, with . _ or - between them", p.Name))
	}
	p.Version = o.required("version")
	if p.Version != "" && !versionPattern.MatchString(p.Version) {
		o.report(o.object["version"].offset, "version",
			fmt.Errorf("%q cannot be a version: want letters, digits and . _ + -", p.Version))
	}
	p.DisplayName = o.required("displayName")
	if p.Layer = o.required("layer"); p.Layer != "" {
		p.Kind = o.kind(p.Layer, "layer")
	}
	p.CloudTypes = o.strings("cloudTypes")
	if old := o.string("cloudType"); old != "" && !slices.Contains(p.CloudTypes, old) {
		p.CloudTypes = append(p.CloudTypes, old)
	}
	p.AddonType = o.string("addonType")
	p.AddonSubType = o.string("addonSubType")
	p.Group = o.string("group")
	p.EndOfLife = o.string("eol")
	p.Annotations = o.stringMap("annotations")
}

// content reads what the pack installs.
func (p *Pack) content(o object) {
	p.Charts = o.files(p.files, "charts")
	p.Manifests = o.files(p.files, "kubeManifests")
	p.AnsibleRoles = o.strings("ansibleRoles")
}

// kind maps a layer of pack.json. A kernel is a part of the operating system.
func (o object) kind(text, field string) layer.Kind {
	switch text {
	case "os", "kernel":
		return layer.OS
	case "k8s":
		return layer.Kubernetes
	case "cni":
		return layer.Network
	case "csi":
		return layer.Storage
	case "addon":
		return layer.AddOn
	}
	o.report(o.object[field].offset, o.path+field,
		fmt.Errorf("%q is not a layer: want os, kernel, k8s, cni, csi or addon", text))
	return ""
}

// files reads a list of paths, and reports those that are no regular files of
// the pack. Those that are not there are kept apart.
func (o object) files(fsys fs.FS, field string) []string {
	var names []string
	o.list(field, func(item value, at string) {
		text := o.text(item, at)
		if item.kind != "a string" {
			return
		}
		name := path.Clean(text) // as in "./charts/x.tgz"
		err := regular(fsys, name)
		switch wrapped := fmt.Errorf("file %q: %w", text, err); {
		case errors.Is(err, fs.ErrNotExist):
			o.missing = append(o.missing, o.at(item.offset, at, wrapped))
		case err != nil:
			o.report(item.offset, at, wrapped)
		}
		names = append(names, name)
	})
	return names
}

func regular(fsys fs.FS, name string) error {
	if !fs.ValidPath(name) || strings.Contains(name, `\`) {
		return errors.New("not a path inside the pack")
	}
	info, err := fs.Lstat(fsys, name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fs.ErrNotExist
	case err != nil:
		return err
	case !info.Mode().IsRegular():
		return errors.New("not a regular file")
	}
	return nil
}

// read reads a regular file of at most limit bytes.
func read(fsys fs.FS, name string, limit int64) ([]byte, error) {
	if err := regular(fsys, name); err != nil {
		return nil, err
	}
	f, err := fsys.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err != nil {
		return nil, err
	}
	if int64(len(data)) > limit {
		return nil, fmt.Errorf("larger than %d MiB", limit>>20)
	}
	return data, nil
}

func byPlace(a, b error) int {
	var x, y *Error
	if !errors.As(a, &x) || !errors.As(b, &y) {
		return 0
	}
	return cmp.Or(cmp.Compare(x.File, y.File), cmp.Compare(x.Line, y.Line), cmp.Compare(x.Column, y.Column))
}

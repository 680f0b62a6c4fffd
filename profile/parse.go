package profile

import (
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"reflect"

	"github.com/strata-go/strata/internal/macro"
	"github.com/strata-go/strata/internal/strictyaml"
	"github.com/strata-go/strata/layer"
)

// What the files say of themselves.
const (
	APIVersion = "strata.dev/v1alpha1"
	// Kind is the kind of a file that holds a profile.
	Kind = "ClusterProfile"
	// StackKind is the kind of a file that holds the stack of a cluster.
	StackKind = "ClusterStack"
)

// maxFile is the size of the largest file that is read: far more than a profile
// with hundreds of layers has.
const maxFile = 16 << 20

// A header says what a file holds.
type header struct {
	// APIVersion is strata.dev/v1alpha1.
	APIVersion string `json:"apiVersion"`
	// Kind is ClusterProfile or ClusterStack.
	Kind string `json:"kind"`
}

// document is the file format of profiles.
type document struct {
	header `json:",inline"`
	// Metadata says which profile it is.
	Metadata metadata `json:"metadata"`
	// Spec is what the profile is made of.
	Spec spec `json:"spec"`
}

type metadata struct {
	// Name is a DNS label.
	Name string `json:"name"`
	// Description is for people.
	Description string `json:"description,omitempty"`
	// Labels are for the embedder; nothing here reads them.
	Labels map[string]string `json:"labels,omitempty"`
	// Annotations are for the embedder; nothing here reads them.
	Annotations map[string]string `json:"annotations,omitempty"`
}

type spec struct {
	// Version is a semantic version, "1.2.3". A profile that was used never
	// changes: a change is a new version.
	Version string `json:"version"`
	// Type is what the profile may hold. If empty, full.
	Type Type `json:"type,omitempty"`
	// CloudType is where clusters of this profile run, "aws" or "vsphere". If
	// empty, "all" for add-on profiles, which alone may say so, else "generic".
	CloudType string `json:"cloudType,omitempty"`
	// Variables are the values that a cluster supplies.
	Variables []Variable `json:"variables,omitempty"`
	// Layers are the layers, in any order: they are installed by kind and
	// install order.
	Layers []layer.Layer `json:"layers"`
}

// Load reads the profile in the named file, and the files that its manifests
// layers name, which must be in the folder of the profile's file or below. The
// profile has inline manifests in their place. Errors are those of [Parse],
// with the file's name, or a [*fs.PathError].
func Load(name string) (*Profile, error) {
	data, err := readNamed(name)
	if err != nil {
		return nil, err
	}
	p, err := parse(name, data)
	if err != nil {
		return nil, err
	}
	// It lets nothing out, not even through symbolic links.
	root, err := os.OpenRoot(filepath.Dir(name))
	if err != nil {
		return nil, err
	}
	defer func() { _ = root.Close() }() // of what was only read
	if err := p.include(root.FS(), "."); err != nil {
		return nil, err
	}
	return p, nil
}

// LoadFS is [Load] for a file in fsys.
func LoadFS(fsys fs.FS, name string) (*Profile, error) { return loadFS(fsys, name, name) }

// Parse parses a profile in YAML or JSON. It rejects unknown fields. Macros may
// stand unquoted. All problems are reported at once, each an [*Error], joined;
// those of [Profile.Validate] too. Files that the profile names are not read:
// use [Load] or [LoadFS] if there may be some.
func Parse(data []byte) (*Profile, error) { return parse("", data) }

func loadFS(fsys fs.FS, name, shown string) (*Profile, error) {
	data, err := readBounded(fsys, name, shown)
	if err != nil {
		return nil, err
	}
	p, err := parse(shown, data)
	if err != nil {
		return nil, err
	}
	if err := p.include(fsys, path.Dir(name)); err != nil {
		return nil, err
	}
	return p, nil
}

func parse(file string, data []byte) (*Profile, error) {
	var doc document
	o, err := decode(file, data, &doc)
	if err = o.check(doc.header, Kind, err); err != nil {
		return nil, err
	}
	p := doc.profile()
	p.origin = o
	if err := p.Validate(); err != nil {
		return nil, err
	}
	return p, nil
}

// profile returns the profile that stands in a file.
func (d *document) profile() *Profile {
	return &Profile{
		Name: d.Metadata.Name, Version: d.Spec.Version, Description: d.Metadata.Description,
		Labels: d.Metadata.Labels, Annotations: d.Metadata.Annotations,
		Type: d.Spec.Type, CloudType: d.Spec.CloudType, Variables: d.Spec.Variables, Layers: d.Spec.Layers,
		memo: new(memo),
	}
}

// document returns p as it stands in a file.
func (p *Profile) document() *document {
	return &document{
		header:   header{APIVersion, Kind},
		Metadata: metadata{p.Name, p.Description, p.Labels, p.Annotations},
		Spec:     spec{p.Version, p.Type, p.CloudType, p.Variables, p.Layers},
	}
}

// decode decodes data, in which macros may stand unquoted, into a document.
func decode(file string, data []byte, into any) (origin, error) {
	text, restore := macro.Protect(string(data))
	positions, err := strictyaml.Decode([]byte(text), into)
	o := origin{file, string(data), positions}
	if err != nil {
		return o, syntaxErrors(file, err)
	}
	restoreStrings(reflect.ValueOf(into).Elem(), restore)
	return o, nil
}

// check returns what is wrong with a file, as far as its fields tell: that it
// is of another kind, or else what decoding it found.
func (o origin) check(h header, kind string, found error) error {
	if other := h.Kind == Kind || h.Kind == StackKind; found != nil && (!other || h.Kind == kind) {
		return found
	}
	if h != (header{APIVersion, kind}) {
		return o.errorf(ErrSyntax, "apiVersion", "is %q, kind %q; want apiVersion: %s, kind: %s", h.APIVersion, h.Kind, APIVersion, kind)
	}
	return nil
}

// readNamed reads the file that somebody names, wherever that leads.
func readNamed(name string) ([]byte, error) {
	return readBounded(os.DirFS(filepath.Dir(name)), filepath.Base(name), name)
}

// readBounded reads a file of a bounded size. Errors name it as it is shown.
func readBounded(fsys fs.FS, name, shown string) ([]byte, error) {
	f, err := fsys.Open(name)
	if err != nil {
		return nil, &fs.PathError{Op: "open", Path: shown, Err: cause(err)}
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err != nil {
		return nil, &fs.PathError{Op: "read", Path: shown, Err: cause(err)}
	}
	if len(data) > maxFile {
		return nil, &Error{File: shown, Problem: fmt.Sprintf("is more than the %d bytes that a file may have", maxFile), Err: ErrSyntax}
	}
	return data, nil
}

// cause returns what err says without the name of the file.
func cause(err error) error {
	if pe, ok := err.(*fs.PathError); ok { //nolint:errorlint // only what is outermost names the file
		return pe.Err
	}
	return err
}

// restoreStrings applies restore to every string in v.
func restoreStrings(v reflect.Value, restore func(string) string) {
	switch v.Kind() {
	case reflect.String:
		if v.CanSet() {
			v.SetString(restore(v.String()))
		}
	case reflect.Pointer:
		if !v.IsNil() {
			restoreStrings(v.Elem(), restore)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			restoreStrings(v.Field(i), restore)
		}
	case reflect.Slice:
		for i := range v.Len() {
			restoreStrings(v.Index(i), restore)
		}
	case reflect.Map:
		for _, k := range v.MapKeys() {
			key, elem := reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem()
			key.Set(k)
			elem.Set(v.MapIndex(k))
			restoreStrings(key, restore)
			restoreStrings(elem, restore)
			v.SetMapIndex(k, reflect.Value{})
			v.SetMapIndex(key, elem)
		}
	}
}

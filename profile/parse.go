package profile

import (
	"fmt"
	"os"
	"path/filepath"
	"reflect"

	"github.com/strata-go/strata/internal/macro"
	"github.com/strata-go/strata/internal/strictyaml"
	"github.com/strata-go/strata/layer"
)

// What a profile file says of itself.
const (
	APIVersion = "strata.dev/v1alpha1"
	Kind       = "ClusterProfile"
)

// maxFile is the size of the largest profile file that is read: far more than a
// profile with hundreds of layers has.
const maxFile = 16 << 20

// document is the file format.
type document struct {
	APIVersion string   `json:"apiVersion"`
	Kind       string   `json:"kind"`
	Metadata   metadata `json:"metadata"`
	Spec       spec     `json:"spec"`
}

type metadata struct {
	Name        string            `json:"name"`
	Description string            `json:"description"`
	Labels      map[string]string `json:"labels"`
	Annotations map[string]string `json:"annotations"`
}

type spec struct {
	Version   string        `json:"version"`
	Type      Type          `json:"type"`
	CloudType string        `json:"cloudType"`
	Variables []Variable    `json:"variables"`
	Layers    []layer.Layer `json:"layers"`
}

// Load reads the profile in the named file. Errors are those of [Parse], with
// the file's name, or a [*os.PathError].
func Load(name string) (*Profile, error) {
	info, err := os.Stat(name)
	if err != nil {
		return nil, err
	}
	if info.Size() > maxFile {
		return nil, &Error{File: name, Problem: fmt.Sprintf("is %d bytes, more than the %d that a profile may have", info.Size(), maxFile), Err: ErrSyntax}
	}
	data, err := os.ReadFile(filepath.Clean(name))
	if err != nil {
		return nil, err
	}
	return parse(name, data)
}

// Parse parses a profile in YAML or JSON. It rejects unknown fields. Macros may
// stand unquoted. All problems are reported at once, each an [*Error], joined;
// those of [Profile.Validate] too.
func Parse(data []byte) (*Profile, error) { return parse("", data) }

func parse(file string, data []byte) (*Profile, error) {
	text, restore := macro.Protect(string(data))
	var doc document
	lines, err := strictyaml.Decode([]byte(text), &doc)
	if err != nil {
		return nil, syntaxErrors(file, err)
	}
	restoreStrings(reflect.ValueOf(&doc).Elem(), restore)
	p := &Profile{
		Name: doc.Metadata.Name, Version: doc.Spec.Version, Description: doc.Metadata.Description,
		Labels: doc.Metadata.Labels, Annotations: doc.Metadata.Annotations, CloudType: doc.Spec.CloudType, Type: doc.Spec.Type, Variables: doc.Spec.Variables, Layers: doc.Spec.Layers,
		file: file, lines: lines,
	}
	if doc.APIVersion != APIVersion || doc.Kind != Kind {
		return nil, p.errorf(ErrSyntax, "apiVersion", "is %q, kind %q; want apiVersion: %s, kind: %s", doc.APIVersion, doc.Kind, APIVersion, Kind)
	}
	if err := p.Validate(); err != nil {
		return nil, err
	}
	return p, nil
}

// restoreStrings applies restore to every string in v.
func restoreStrings(v reflect.Value, restore func(string) string) {
	switch v.Kind() {
	case reflect.String:
		v.SetString(restore(v.String()))
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
			elem := reflect.New(v.Type().Elem()).Elem()
			elem.Set(v.MapIndex(k))
			restoreStrings(elem, restore)
			v.SetMapIndex(k, elem)
		}
	}
}

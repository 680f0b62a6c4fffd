package profile

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"sync"

	"github.com/opencontainers/go-digest"
	"go.yaml.in/yaml/v3"

	"github.com/strata-go/strata/internal/macro"
)

// A memo remembers what was found in the texts of a profile: they are checked
// when it is parsed, composed and resolved, and are long. It goes by the texts
// themselves, so it is right even if somebody changes the profile in between.
// The nil memo remembers nothing. It is safe for concurrent use.
type memo struct{ documents, manifests, parsed sync.Map }

// knownBy returns the memo of p, or other if p has none.
func (p *Profile) knownBy(other *memo) *memo {
	if p.memo != nil {
		return p.memo
	}
	return other
}

// A finding is what is known of a values document.
type finding struct {
	problem string // "" if it is a YAML mapping, or empty
	macros  []macro.Macro
	digest  digest.Digest // of the values, whatever the document looks like
}

// document returns what is known of a values document.
func (m *memo) document(text string) finding {
	if m == nil {
		return m.inspect(text)
	}
	if known, ok := m.documents.Load(text); ok {
		return known.(finding) //nolint:errcheck // the map holds nothing else
	}
	f := m.inspect(text)
	m.documents.Store(text, f)
	return f
}

func (m *memo) inspect(text string) finding {
	sum := newTreeHash()
	d, err := macro.ParseAnd([]byte(text), sum.add)
	if err != nil {
		return finding{problem: err.Error(), digest: digest.FromString(text)}
	}
	f := finding{macros: d.Macros(), digest: sum.digest(text)}
	if m != nil && len(f.macros) > 0 {
		m.parsed.Store(text, d)
	}
	if !d.Mapping() {
		f.problem = "want a mapping at the top"
	}
	return f
}

// parse returns a YAML stream to bind, or nil if it has no macros.
func (m *memo) parse(text string) (*macro.Document, error) {
	if m != nil {
		if known, ok := m.parsed.Load(text); ok {
			return known.(*macro.Document), nil //nolint:errcheck // the map holds nothing else
		}
	}
	if len(macro.Scan(text)) == 0 {
		return nil, nil //nolint:nilnil // there is nothing to bind
	}
	d, err := macro.Parse([]byte(text))
	if err == nil && m != nil {
		m.parsed.Store(text, d)
	}
	return d, err
}

// objects returns the objects of a manifest, as far as it is YAML.
func (m *memo) objects(content string) []object {
	if m == nil {
		return objectsOf(content)
	}
	if known, ok := m.manifests.Load(content); ok {
		return known.([]object) //nolint:errcheck // the map holds nothing else
	}
	found := objectsOf(content)
	m.manifests.Store(content, found)
	return found
}

// An object names an object of Kubernetes.
type object struct{ group, kind, namespace, name string }

// String returns "Kind.group namespace/name".
func (o object) String() string {
	s := o.kind
	if o.group != "" {
		s += "." + o.group
	}
	s += " "
	if o.namespace != "" {
		s += o.namespace + "/"
	}
	return s + o.name
}

// in returns o as it is made by a layer of a namespace. Only the namespaces of
// well-known kinds can be told without a cluster; others have the layer's, so
// objects of a kind without namespaces, made by layers of different ones, are
// taken for different.
func (o object) in(namespace string) object {
	switch {
	case clusterScoped(o.group, o.kind):
		o.namespace = ""
	case o.namespace == "" && namespace != "":
		o.namespace = namespace
	case o.namespace == "":
		o.namespace = defaultNamespace
	}
	return o
}

// clusterScoped reports whether a kind of Kubernetes itself has no namespaces.
func clusterScoped(group, kind string) bool {
	switch group {
	case "":
		return kind == "Namespace" || kind == "PersistentVolume" || kind == "Node"
	case "rbac.authorization.k8s.io":
		return strings.HasPrefix(kind, "Cluster")
	case "apiextensions.k8s.io", "admissionregistration.k8s.io", "apiregistration.k8s.io", "scheduling.k8s.io", "node.k8s.io":
		return true
	case "storage.k8s.io":
		return kind != "CSIStorageCapacity"
	case "networking.k8s.io":
		return kind == "IngressClass"
	}
	return false
}

// A head is what names an object in a manifest.
type head struct {
	APIVersion string `yaml:"apiVersion"`
	Kind       string
	Metadata   struct{ Name, Namespace string }
	Items      []head
}

func objectsOf(content string) []object {
	protected, restore := macro.Protect(content)
	var found []object
	for dec := yaml.NewDecoder(bytes.NewReader([]byte(protected))); ; {
		var h head
		if err := dec.Decode(&h); errors.Is(err, io.EOF) {
			return found
		} else if _, ok := errors.AsType[*yaml.TypeError](err); err != nil && !ok {
			return found // whoever applies it reports it, with the line
		}
		for _, h := range append(h.Items, h) {
			if h.Kind == "" || h.Metadata.Name == "" {
				continue
			}
			group, _, grouped := strings.Cut(h.APIVersion, "/")
			if !grouped {
				group = ""
			}
			found = append(found, object{group, h.Kind, restore(h.Metadata.Namespace), restore(h.Metadata.Name)})
		}
	}
}

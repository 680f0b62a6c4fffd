package render

import (
	"context"
	"errors"
	"io/fs"

	"github.com/strata-go/strata/internal/helm"
	"github.com/strata-go/strata/internal/manifest"
	"github.com/strata-go/strata/layer"
)

// DefaultNamespace is where namespaced objects go that nobody gives a namespace.
const DefaultNamespace = "default"

// Input is a layer and what it is rendered for. Nothing in it is changed.
type Input struct {
	// Layer has its macros bound, in Values as well as in inline manifests.
	Layer layer.Layer
	// Values are the layer's own, with macros bound. Layer.Values is not read.
	Values []byte
	// Bind binds macros in the documents of a pack: its values and manifests.
	// If nil, they have none.
	Bind func(doc []byte) ([]byte, error)
	// Content is the pack or the chart; nil for manifests.
	Content fs.FS
	// Capabilities are what templates may know of the cluster. A chart sees also
	// what its own crds folder brings, and the charts before it in the layer.
	Capabilities helm.Capabilities
	// Past is what the impure functions of templates gave before, and give again:
	// it is that of an Output.
	Past helm.Past
	// Lookup finds objects for templates. If nil, they find none.
	Lookup helm.LookupFunc
	// Limits bound the templates of each chart.
	Limits helm.Limits
	// StrictSchemas makes an error of a values schema that refers to what is
	// outside of its chart, instead of a warning.
	StrictSchemas bool
	// Releases are the deployed revisions by release name. A release that is
	// not there is installed; others are upgraded.
	Releases map[string]int
}

// Output is what a layer renders to.
type Output struct {
	// Objects are in the order in which the source lists charts and manifests;
	// of each chart, the crds folder comes first. Secrets have no stringData.
	Objects []Object
	// Hooks are the objects that charts want made and waited for at certain
	// events, in the order of the charts. They are not among Objects.
	Hooks []Hook
	// Releases are in the order of their charts.
	Releases []Release
	// Namespaces must be there before the objects. Those that Objects hold
	// are not listed, and neither is [DefaultNamespace] when nobody named it.
	Namespaces []Namespace
	// Readiness are the checks that a pack brings.
	Readiness []layer.Check
	// Past is what impure functions gave. It holds secrets.
	Past helm.Past
	// Queries are what the templates look at of the capabilities.
	Queries helm.Queries
	// Warnings say what was left out or left unchecked.
	Warnings []string
}

// An Object is one object of a layer.
type Object struct {
	manifest.Object
	// Release is the name of its Helm release; "" if it is of a manifest.
	Release string
	// DefaultNamespace is where the object goes if it names no namespace and
	// its kind is namespaced, which is not known before the cluster is asked.
	DefaultNamespace string
	// FromCRDs says that it stands in a crds folder. Helm makes such objects if
	// they are missing, and neither changes nor deletes them.
	FromCRDs bool
}

// A Hook is a hook of a release.
type Hook struct {
	helm.Hook
	// Release and DefaultNamespace are as in [Object].
	Release, DefaultNamespace string
}

// A Release is a Helm release, with what Helm's record of it needs.
type Release struct {
	Name      string
	Namespace string
	Revision  int // once it is deployed
	Chart     *helm.Chart
	Values    map[string]any // for the chart, of the layer and its pack
	Manifest  string         // the text of the release's objects
	Notes     string
	Hooks     []helm.Hook // those for tests included
}

// A Namespace is one that must be there.
type Namespace struct {
	Name        string
	Labels      map[string]string
	Annotations map[string]string
}

// Layer renders a layer. Its errors are joined, each an [*Error]. It looks at
// ctx while templates run, too.
func Layer(ctx context.Context, in Input) (*Output, error) {
	b := &builder{Input: in, out: &Output{}}
	var err error
	switch format := in.Layer.Format(); format {
	case layer.FormatManifests:
		err = b.manifests()
	case layer.FormatHelm:
		err = b.chartLayer(ctx)
	case layer.FormatPack:
		err = b.packLayer(ctx)
	default:
		err = b.fail("", &UnsupportedError{format})
	}
	if err = errors.Join(err, b.attached()); err != nil {
		return nil, err
	}
	b.out.adoptNamespaces()
	return b.out, nil
}

// A builder collects the output of one layer.
type builder struct {
	Input
	pack      string // name, for messages
	namespace string
	out       *Output
}

// fail wraps an error, and each that was joined to it, for the given file.
func (b *builder) fail(file string, err error) error {
	joined, ok := err.(interface{ Unwrap() []error })
	if !ok {
		return &Error{Pack: b.pack, File: file, Err: err}
	}
	var errs []error
	for _, err := range joined.Unwrap() {
		errs = append(errs, b.fail(file, err))
	}
	return errors.Join(errs...)
}

// add appends objects to the output. The rest of Object comes from like.
func (b *builder) add(objects []manifest.Object, like Object) error {
	var errs []error
	for _, o := range objects {
		canonical, err := manifest.Canonical(o)
		if err != nil {
			errs = append(errs, b.fail("", err))
			continue
		}
		like.Object = canonical
		like.DefaultNamespace = b.namespace
		b.out.Objects = append(b.out.Objects, like)
	}
	return errors.Join(errs...)
}

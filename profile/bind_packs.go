package profile

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"sync"

	"go.yaml.in/yaml/v3"

	"github.com/strata-go/strata/internal/macro"
	"github.com/strata-go/strata/internal/nearest"
	"github.com/strata-go/strata/layer"
)

// A Content returns what a source holds that was pinned: a pack or a chart. It
// is called for those only that somebody asks about, at most once for each, and
// may be called concurrently.
type Content func(pin layer.Pin) (fs.FS, error)

// A packPath names a value of a layer.
type packPath struct {
	layer int
	path  string
}

// packs answers the macros that refer to values of packs. Values are found one
// by one, not pack by pack, so that packs may refer to each other.
type packs struct {
	content Content

	mu    sync.Mutex
	files map[int]files
	known map[packPath]packAnswer
}

type packAnswer struct {
	answer
	err error
}

// WithContent returns l with the macros replaced that refer to values of packs,
// in its values and manifests. Its Bind knows them too. The values are those
// that the other layer has in the end: of its pack, its presets, its profile
// and the override of the cluster.
//
// It then checks the values against the schema of the layer's pack
// (schema.yaml), and reports as [*Error] all that is wrong, joined. Errors of
// content are wrapped.
func (l PinnedLayer) WithContent(content Content) (PinnedLayer, error) {
	e := l.scope.environment
	if e == nil || content == nil {
		return l, nil
	}
	l.scope.packs = &packs{content: content, files: map[int]files{}, known: map[packPath]packAnswer{}}
	written := e.layers[l.scope.layer]
	if e.refersToPacks(written) {
		bound, errs := e.bindLayer(written, l.scope.bind)
		if err := errors.Join(errs...); err != nil {
			return l, err
		}
		l.Values, l.Manifests, l.AttachedManifests = bound.Values, bound.Manifests, bound.AttachedManifests
	}
	return l, l.checkValues()
}

// bind is lookup for documents that are rendered: nothing can come later.
func (s scope) bind(m macro.Macro) (string, error) {
	value, err := s.lookup(m)
	if errors.Is(err, macro.ErrLater) {
		err = errors.New("the values of packs are not known; call WithContent first")
	}
	return value, err
}

// packValue answers ".spectro.pack." + reference.
func (s scope) packValue(reference string, trail []packPath) (answer, error) {
	at, path, err := s.referred(reference)
	if err != nil {
		return answer{}, err
	}
	if s.packs == nil {
		return answer{}, macro.ErrLater
	}
	p := packPath{at, path}
	if i := slices.Index(trail, p); i >= 0 {
		return answer{}, s.cycle(append(slices.Clone(trail[i:]), p))
	}
	s.packs.mu.Lock()
	known, ok := s.packs.known[p]
	s.packs.mu.Unlock()
	if ok {
		return known.answer, known.err
	}
	a, err := s.of(at).find(path, append(slices.Clone(trail), p))
	if !errors.Is(err, errCycle) { // which depends on where it was entered
		s.packs.mu.Lock()
		s.packs.known[p] = packAnswer{a, err}
		s.packs.mu.Unlock()
	}
	return a, err
}

// of returns the scope of another layer.
func (s scope) of(layer int) scope {
	s.layer = layer
	return s
}

var errCycle = errors.New("values refer to each other in a cycle")

func (s scope) cycle(trail []packPath) error {
	steps := make([]string, len(trail))
	for i, p := range trail {
		steps[i] = s.layers[p.layer].Name + "." + p.path
	}
	return fmt.Errorf("%w: %s", errCycle, strings.Join(steps, " → "))
}

// referred returns the layer that a reference names, and the path behind it.
// Names hold dots, so the longest that fits counts. The layer itself goes before
// others with the same pack.
func (s scope) referred(reference string) (at int, path string, err error) {
	var found []int
	name := ""
	var names []string
	for i, l := range s.layers {
		for _, n := range []string{l.Name, sourceName(l.Layer)} {
			names = append(names, n)
			rest, ok := strings.CutPrefix(reference, n+".")
			switch {
			case !ok || n == "" || len(n) < len(name):
			case len(n) > len(name):
				name, path, found = n, rest, []int{i}
			case !slices.Contains(found, i):
				found = append(found, i)
			}
		}
	}
	named := func(i int) bool { return s.layers[i].Name == name }
	switch {
	case len(found) == 0:
		name, _, _ = strings.Cut(reference, ".")
		return 0, "", fmt.Errorf("%w: the stack has no pack %q%s", errUnset, name, nearest.Hint(name, names))
	case slices.Contains(found, s.layer):
		return s.layer, path, nil
	case slices.ContainsFunc(found, named):
		return found[slices.IndexFunc(found, named)], path, nil
	case len(found) > 1:
		return 0, "", fmt.Errorf("layers %q and %q are both of pack %s; name the layer instead of the pack", s.layers[found[0]].Name, s.layers[found[1]].Name, name)
	}
	return found[0], path, nil
}

// sourceName returns the name of the pack or chart of a layer, if it has one.
func sourceName(l layer.Layer) string { return l.Ref().Name }

// find returns the value at a path of the values of the layer of s. What is not
// set is the empty text.
func (s scope) find(path string, trail []packPath) (answer, error) {
	l := s.layers[s.layer]
	documents, err := s.documents(withoutCharts)
	if err != nil {
		return answer{}, err
	}
	by := fmt.Sprintf("value %s of layer %s", path, l.Name)
	for _, d := range slices.Backward(documents) {
		n, found := d.at(path)
		switch {
		case !found:
			continue
		case n == nil || n.Tag == "!!null":
			return answer{by: by}, nil
		case n.Kind != yaml.ScalarNode:
			return answer{}, fmt.Errorf("%s is %s; a macro takes single values only", by, describeNode(n))
		}
		return s.expand(n.Value, by, trail)
	}
	return answer{by: by}, nil
}

// maxReference bounds what values that refer to values grow to.
const maxReference = 16 << 20

// expand replaces the macros in a value of a pack.
func (s scope) expand(text, by string, trail []packPath) (answer, error) {
	a, size := answer{by: by}, 0
	var err error
	a.value, err = macro.Expand(text, func(m macro.Macro) (string, error) {
		inner, err := s.answer(m, trail)
		a.sensitive = a.sensitive || inner.sensitive && inner.value != ""
		if size += len(inner.value); size > maxReference {
			return "", fmt.Errorf("%s grows to more than %d MiB", by, maxReference>>20)
		}
		return inner.value, err
	})
	if a.sensitive {
		s.secrets.Add(a.value)
	}
	return a, err
}

func describeNode(n *yaml.Node) string {
	if n.Kind == yaml.SequenceNode {
		return "a list"
	}
	return "a map"
}

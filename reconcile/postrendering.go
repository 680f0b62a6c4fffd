package reconcile

import (
	"encoding/json"
	"fmt"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"

	"github.com/strata-go/strata/internal/helm"
	"github.com/strata-go/strata/internal/kube"
	"github.com/strata-go/strata/internal/manifest"
	"github.com/strata-go/strata/internal/render"
)

// A PostRenderer changes objects after they are rendered and before anything
// looks at them, whatever their layer's source is: packs, charts with their
// hooks, manifests. [ImageMirror], [CommonMetadata] and [Patch] are some.
type PostRenderer interface {
	// Identity tells the PostRenderer from others and from itself with other
	// settings: where it changes, every layer is rendered again.
	Identity() string
	// PostRender changes an object of a layer in place. It may not change its
	// kind, namespace and name, and does the same each time. It may be called
	// concurrently.
	PostRender(layer string, o *unstructured.Unstructured) error
}

// A PostRenderError says that a [PostRenderer] could not change an object. It is
// terminal.
type PostRenderError struct {
	PostRenderer string // its identity, shortened
	Object       ObjectRef
	Source       string // file and line
	Err          error
}

func (e *PostRenderError) Error() string {
	return fmt.Sprintf("%s: %s: changing it by %s: %v", e.Source, e.Object, e.PostRenderer, e.Err)
}

// Unwrap returns the cause.
func (e *PostRenderError) Unwrap() error { return e.Err }

// Is reports whether target is [ErrTerminal].
func (e *PostRenderError) Is(target error) bool { return target == ErrTerminal }

// identities returns what the layers are made from beside their content.
func (s *session) identities() string {
	if len(s.PostRender)+len(s.Allow) == 0 {
		return ""
	}
	all := make([]string, len(s.PostRender))
	for i, p := range s.PostRender {
		all[i] = p.Identity()
	}
	data, _ := json.Marshal([]any{all, s.Allow}) // strings are always JSON
	return string(data)
}

// postRender changes what a layer was rendered to.
func (s *session) postRender(layer string, out *render.Output) error {
	if len(s.PostRender) == 0 {
		return nil
	}
	for i, o := range out.Objects {
		object, err := s.changed(layer, o.Object)
		if err != nil {
			return err
		}
		out.Objects[i].Object = object
	}
	for i := range out.Hooks {
		if err := s.changeHook(layer, &out.Hooks[i].Hook); err != nil {
			return err
		}
	}
	for i := range out.Releases {
		r := &out.Releases[i]
		for j := range r.Hooks {
			if err := s.changeHook(layer, &r.Hooks[j]); err != nil {
				return err
			}
		}
		if err := rewrite(r, out.Objects); err != nil {
			return err
		}
	}
	return nil
}

// changed returns an object as it is after all PostRenderers.
func (s *session) changed(layer string, o manifest.Object) (manifest.Object, error) {
	before, object := kube.RefOf(o.Unstructured), o.DeepCopy()
	for _, p := range s.PostRender {
		err := p.PostRender(layer, object.Unstructured)
		if now := kube.RefOf(object.Unstructured); err == nil && now != before {
			err = fmt.Errorf("it becomes %s: kind, namespace and name may not change", now)
		}
		if err != nil {
			return o, &PostRenderError{strings.ToValidUTF8(firstBytes(p.Identity(), 80), ""), ObjectRef(before), fmt.Sprintf("%s:%d", o.Source, o.Line), err}
		}
	}
	return manifest.Canonical(object)
}

func firstBytes(s string, n int) string { return s[:min(len(s), n)] }

// changeHook changes a hook, and the text that Helm's record has of it.
func (s *session) changeHook(layer string, h *helm.Hook) error {
	object, err := s.changed(layer, h.Object)
	if err != nil {
		return err
	}
	text, err := yaml.Marshal(object.Object)
	h.Object, h.Manifest = object, string(text)
	return err
}

// rewrite makes the manifest of a release of its objects, so that Helm's own
// commands see what is applied.
func rewrite(r *render.Release, objects []render.Object) error {
	var b strings.Builder
	for _, o := range objects {
		if o.Release != r.Name || o.FromCRDs {
			continue
		}
		text, err := yaml.Marshal(o.Object.Object)
		if err != nil {
			return err
		}
		fmt.Fprintf(&b, "---\n# Source: %s\n%s", o.Source, text)
	}
	r.Manifest = b.String()
	return nil
}

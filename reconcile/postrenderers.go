package reconcile

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"strings"

	jsonpatch "gopkg.in/evanphx/json-patch.v4"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/strategicpatch"
	"k8s.io/client-go/kubernetes/scheme"
	"sigs.k8s.io/yaml"

	"github.com/strata-go/strata/internal/imageref"
	"github.com/strata-go/strata/internal/kube"
	"github.com/strata-go/strata/internal/manifest"
)

// identity names a PostRenderer by its type and its settings, which are JSON.
func identity(p PostRenderer) string {
	data, _ := json.Marshal(p)
	return fmt.Sprintf("%T%s", p, data)
}

// An ImageMirror takes the images of containers from other places: of all
// containers, also those that initialise, of pods, workloads, and custom
// resources with the template of a pod. Tags and digests stay. Images that are
// named elsewhere, as in the arguments of an operator, are not found.
type ImageMirror struct {
	// Prefixes maps the beginning of image names in full ("docker.io/library",
	// "quay.io"), up to a "/" or the end of the repository, to what replaces it
	// ("mirror.example.com/hub"). Of several the longest counts.
	Prefixes map[string]string
}

// Identity implements [PostRenderer].
func (m ImageMirror) Identity() string { return identity(m) }

// PostRender implements [PostRenderer].
func (m ImageMirror) PostRender(_ string, o *unstructured.Unstructured) error {
	manifest.EachContainer(o.Object, func(container map[string]any) {
		if image, _ := container["image"].(string); image != "" {
			container["image"] = m.mirrored(image)
		}
	})
	return nil
}

// mirrored returns where an image is taken from.
func (m ImageMirror) mirrored(image string) string {
	repository := imageref.Parse(image).Repository
	longest := ""
	for prefix := range m.Prefixes {
		rest, ok := strings.CutPrefix(repository, prefix)
		if ok && (rest == "" || rest[0] == '/' || strings.HasSuffix(prefix, "/")) && len(prefix) > len(longest) {
			longest = prefix
		}
	}
	if longest == "" {
		return image
	}
	// What follows the repository stays as it is written: also a tag beside a digest.
	name, after := image, ""
	if at := strings.IndexByte(name, '@'); at >= 0 {
		name, after = name[:at], name[at:]
	}
	if colon := strings.LastIndexByte(name, ':'); colon > strings.LastIndexByte(name, '/') {
		after = name[colon:] + after
	}
	return m.Prefixes[longest] + strings.TrimPrefix(repository, longest) + after
}

// CommonMetadata sets labels and annotations of every object, over those that it
// has. It leaves the templates of pods and selectors as they are.
type CommonMetadata struct {
	Labels, Annotations map[string]string
}

// Identity implements [PostRenderer].
func (m CommonMetadata) Identity() string { return identity(m) }

// PostRender implements [PostRenderer].
func (m CommonMetadata) PostRender(_ string, o *unstructured.Unstructured) error {
	if len(m.Labels) > 0 {
		o.SetLabels(laidOver(o.GetLabels(), m.Labels))
	}
	if len(m.Annotations) > 0 {
		o.SetAnnotations(laidOver(o.GetAnnotations(), m.Annotations))
	}
	return nil
}

func laidOver(base, top map[string]string) map[string]string {
	all := map[string]string{}
	maps.Copy(all, base)
	maps.Copy(all, top)
	return all
}

// A Patch changes the objects that its other fields match; an empty field
// matches all. It is no error if there are none.
type Patch struct {
	Layer     string
	Kind      string // as in "Deployment.apps" and "Secret"
	Namespace string // as the layer writes it: what is installed into the layer's namespace has none
	Name      string
	// Patch is YAML or JSON. A list is a JSON patch (RFC 6902). A map is a
	// strategic merge patch for Kubernetes' own kinds, and a JSON merge patch
	// (RFC 7386) for others.
	Patch string
}

// Identity implements [PostRenderer].
func (p Patch) Identity() string { return identity(p) }

// PostRender implements [PostRenderer].
func (p Patch) PostRender(layer string, o *unstructured.Unstructured) error {
	matches := func(want, is string) bool { return want == "" || want == is }
	ref := kube.RefOf(o)
	if !matches(p.Layer, layer) || !matches(p.Kind, ref.GVK().GroupKind().String()) || !matches(p.Namespace, ref.Namespace) || !matches(p.Name, ref.Name) {
		return nil
	}
	patch, err := yaml.YAMLToJSON([]byte(p.Patch))
	if err != nil {
		return fmt.Errorf("reading the patch: %w", err)
	}
	data, err := json.Marshal(o.Object)
	if err != nil {
		return err
	}
	if data, err = patched(data, patch, ref); err != nil {
		return err
	}
	return o.UnmarshalJSON(data)
}

func patched(data, patch []byte, ref kube.Ref) ([]byte, error) {
	switch {
	case bytes.HasPrefix(patch, []byte("[")):
		operations, err := jsonpatch.DecodePatch(patch)
		if err != nil {
			return nil, fmt.Errorf("reading the patch: %w", err)
		}
		return operations.Apply(data)
	case bytes.HasPrefix(patch, []byte("{")):
		if known, err := scheme.Scheme.New(ref.GVK()); err == nil {
			return strategicpatch.StrategicMergePatch(data, patch, known)
		}
		return jsonpatch.MergePatch(data, patch)
	}
	return nil, errors.New("the patch is neither a list nor a map")
}

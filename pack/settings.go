package pack

import (
	"cmp"
	"errors"

	"github.com/strata-go/strata/layer"
)

// Settings are what the values of a pack say about its installation: the
// block "pack", and the keys for order and name, which stand there or at the
// root. The zero Settings say nothing.
type Settings struct {
	Namespace            string                       // of what names none; if empty, the layer decides
	AdditionalNamespaces []string                     // to be created too
	NamespaceLabels      map[string]map[string]string // by namespace, then key
	NamespaceAnnotations map[string]map[string]string // by namespace, then key
	ReleaseNames         map[string]string            // of Helm releases, by chart name
	InstallOrder         int                          // lowest first; 0 if HasInstallOrder is false
	HasInstallOrder      bool
	DisplayName          string
	Images               []string      // that the pack runs, as far as it lists them
	ListedCharts         []ChartRef    // where the charts of the pack come from, as far as it lists them
	Readiness            []layer.Check // readinessCheck.v1beta1, which stands at the root
}

// A ChartRef names a chart of a Helm repository.
type ChartRef struct {
	Repository, Name, Version string
}

// maxReleaseName is how long Helm lets the name of a release be.
const maxReleaseName = 53

// ReleaseName returns the name of the Helm release of a chart in a pack.
func (s Settings) ReleaseName(pack, chart string) string {
	return cmp.Or(s.ReleaseNames[chart], pack+"-"+chart)
}

// The keys of other settings than those that are plain words, the newer form
// first.
func installOrderKeys() []string {
	return []string{"pack.spectrocloud.com/install-priority", "spectrocloud.com/install-priority"}
}

func displayNameKeys() []string {
	return []string{"pack.spectrocloud.com/display-name", "spectrocloud.com/display-name"}
}

// ReadSettings reads the settings in the values of a pack, after merging and
// after macros were replaced. Keys that it does not know are ignored, and so
// are images without a name.
//
// All problems are reported at once, each as an [*Error] that names the field
// but no file, since merged values come from several, joined.
func ReadSettings(values map[string]any) (Settings, error) {
	r := &settingsReader{}
	block := r.object(values["pack"], "pack")
	s := Settings{
		Namespace:            r.string(block["namespace"], "pack.namespace"),
		AdditionalNamespaces: r.names(block["additionalNamespaces"], "pack.additionalNamespaces"),
		NamespaceLabels:      r.perNamespace(block["namespaceLabels"], "pack.namespaceLabels"),
		NamespaceAnnotations: r.perNamespace(block["namespaceAnnotations"], "pack.namespaceAnnotations"),
		ReleaseNames:         r.stringMap(block["releaseNameOverride"], "pack.releaseNameOverride"),
	}
	if v, field := find(block, values, installOrderKeys()); v != nil {
		s.InstallOrder, s.HasInstallOrder = r.int(v, field), true
	}
	if v, field := find(block, values, displayNameKeys()); v != nil {
		s.DisplayName = r.string(v, field)
	}
	content := r.object(block["content"], "pack.content")
	s.Images = r.images(content["images"])
	s.ListedCharts = r.charts(content["charts"])
	s.Readiness = r.readiness(values["readinessCheck"])
	if len(r.errs) > 0 {
		return Settings{}, errors.Join(r.errs...)
	}
	return s, nil
}

// find returns the first value that one of the keys has, in the block or else
// at the root, and its path.
func find(block, root map[string]any, keys []string) (v any, field string) {
	for _, key := range keys {
		if v := block[key]; v != nil {
			return v, "pack." + key
		}
	}
	for _, key := range keys {
		if v := root[key]; v != nil {
			return v, key
		}
	}
	return nil, ""
}

// ListedImages returns the images that the pack says it needs, in
// pack.content.images of its own values. Errors are those of [ReadSettings], and
// an [*Error] if values.yaml cannot be parsed.
func (p *Pack) ListedImages() ([]string, error) {
	document, err := readDocument(valuesFile, p.Values)
	if err != nil {
		return nil, err
	}
	r := &settingsReader{}
	content := r.object(r.object(document.data["pack"], "pack")["content"], "pack.content")
	return r.images(content["images"]), errors.Join(r.errs...)
}

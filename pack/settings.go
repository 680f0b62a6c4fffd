package pack

import "errors"

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
	Images               []string // that the pack runs, as far as it lists them
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
	s.Images = r.images(r.object(block["content"], "pack.content")["images"])
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

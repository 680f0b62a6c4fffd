package layer

// A Layer is one part of a stack: what it provides, where its content comes
// from, and how to install it.
type Layer struct {
	// Name is unique in a stack: a DNS label.
	Name string `json:"name"`
	// Kind is the part of the stack. If empty, [AddOn].
	Kind Kind `json:"kind,omitempty"`
	// InstallOrder orders the add-on layers among themselves: lowest first,
	// negatives allowed. Layers of equal order are installed together, and the
	// next order waits until all of them are ready. Core layers leave it zero:
	// their order is that of their kinds.
	InstallOrder int `json:"installOrder,omitempty"`
	// Namespace is where namespaced objects go that name no namespace. It is
	// created if it is missing, and no macro stands in it. If empty: a pack's own
	// namespace, else "default".
	Namespace string `json:"namespace,omitempty"`

	Source `json:",inline"`

	// Values are a YAML document, merged over the values of the source: maps by
	// key, lists replaced, null removes a key. For a pack they have the pack's
	// structure (charts.<name>, manifests.<name>); for a chart they are the
	// chart's values.
	Values string `json:"values,omitempty" strict:"document"`
	// Presets are the presets of a pack that are switched on: the name of one
	// for each group.
	Presets map[string]string `json:"presets,omitempty"`
	// AttachedManifests are installed with the layer, after its own content.
	AttachedManifests []Manifest `json:"attachedManifests,omitempty"`

	// Readiness are checks that must pass, beside the readiness of the objects,
	// before the layer is ready.
	Readiness []Check `json:"readiness,omitempty"`
	// Adopt says what becomes of objects that were there before. If empty, as
	// the reconciler says.
	Adopt AdoptPolicy `json:"adopt,omitempty"`
	// CRDs says what becomes of the layer's custom resource definitions. If
	// empty, as the reconciler says.
	CRDs CRDPolicy `json:"crds,omitempty"`
	// HookTimeout is how long a hook of the layer's charts may take ("40m"), for
	// what Helm has its --timeout. If empty, as the reconciler says.
	HookTimeout Duration `json:"hookTimeout,omitempty"`
	// Test runs the tests of the layer's charts, as helm test does, each time that
	// they were installed, upgraded or rolled back. The layer is ready when they
	// have passed.
	Test bool `json:"test,omitempty"`
	// Keep lists kinds ("PersistentVolumeClaim", "Certificate.cert-manager.io")
	// whose objects stay when they are no longer wanted.
	Keep []string `json:"keep,omitempty"`
	// Drift says what becomes of changes that others make to the objects.
	Drift DriftPolicy `json:"drift,omitzero"`
	// Allow says what the layer may have, whatever its source brings; the rules
	// of the reconciler hold beside it. What is not allowed is refused before
	// anything is written.
	Allow Allowance `json:"allow,omitzero"`
}

package reconcile

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/opencontainers/go-digest"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"

	"github.com/strata-go/strata/internal/helm"
	"github.com/strata-go/strata/internal/inventory"
	"github.com/strata-go/strata/internal/kube"
	"github.com/strata-go/strata/internal/manifest"
	"github.com/strata-go/strata/internal/render"
	"github.com/strata-go/strata/layer"
	"github.com/strata-go/strata/profile"
)

// work is one object that shall be on the cluster, and what is to be done for it.
type work struct {
	layer     string
	profile   profile.ID
	source    string // where the object is written, for people
	ref       kube.Ref
	resource  kube.Resource
	data      []byte // the object as it is applied
	digest    digest.Digest
	batch     manifest.Batch
	keep      bool
	coming    bool            // its definition is in the same plan
	redefined bool            // and is made or changed by it
	crds      layer.CRDPolicy // of a definition
	object    *unstructured.Unstructured
	adopt     layer.AdoptPolicy
	policy    layer.DriftPolicy    // with a mode
	ignore    []string             // JSON pointers of fields that others may change, without a look at who did
	wants     *inventory.Namespace // of a namespace that layers are installed in, else nil

	action   Action
	reason   string
	changes  []Change
	exists   bool      // on the cluster, when the plan was made
	created  bool      // by us, so that we may delete it
	hangs    string    // why it is not gone, if it is going
	going    bool      // it is being deleted, and can be made anew once it is gone
	claims   bool      // the fields of other managers, too
	force    bool      // take back fields that were ours
	uid      types.UID // of the object to replace
	left     bool      // a definition that is somebody else's to change
	warnings []string
	release  releaseKey           // that the object is a part of, if any
	handOver []string             // managers whose fields become ours, as they were the release's
	foreign  []kube.FieldConflict // fields of other managers, which keep the object from being applied
	refused  error                // why the object cannot be repaired, which keeps nothing else from being so

	drift    []Drift          // what others changed
	examined bool             // the inventory is to keep after
	after    *inventory.Drift // what is known of changes by others then
	stays    bool             // some of them

	settled *metav1.PartialObjectMetadata // the object, if applying it would change nothing and only the record of it is missing
}

// layerWork is a layer that shall be on the cluster.
type layerWork struct {
	profile.PinnedLayer
	base       digest.Digest // of the inputs, without what templates look at of the cluster
	inputs     digest.Digest
	namespaces []inventory.Namespace
	output     *render.Output     // nil if nothing needs to be rendered
	recalled   helm.Past          // what templates gave when Helm installed what is taken over
	outdated   []string           // APIs that it asks for and that come or go with the plan: then it is rendered again
	releases   []releaseWork      // those of output
	leaving    []inventory.Object // of releases of other tools, and not wanted
	objects    []*work            // in the order of their batches
	hooks      []inventory.Object // that hooks of charts will make
}

// stage returns what l is installed together with.
func (l *layerWork) stage() stage { return stage{l.Kind.OrDefault(), l.InstallOrder} }

// again says why the layer is to be rendered again once the plan is carried out.
func (l *layerWork) again() string {
	return fmt.Sprintf("it asks for %s, which other layers bring or take away at the same time or later: it is rendered again after that; to have it at once, give it a higher installOrder", strings.Join(l.outdated, ", "))
}

// changes reports whether any object of the layer is to be created or changed.
func (l *layerWork) changes() bool {
	return slices.ContainsFunc(l.objects, func(w *work) bool { return w.action != Unchanged })
}

// checks returns the readiness checks of the layer and of its content.
func (l *layerWork) checks() []layer.Check {
	if l.output == nil {
		return l.Readiness
	}
	return slices.Concat(l.Readiness, l.output.Readiness)
}

// charts returns the charts that the layer was rendered from.
func (l *layerWork) charts() []inventory.Chart {
	var charts []inventory.Chart
	for _, r := range l.output.Releases {
		charts = append(charts, inventory.Chart{Name: r.Chart.Name(), Version: r.Chart.Version(), AppVersion: r.Chart.AppVersion(), Release: r.Name, Namespace: r.Namespace})
	}
	return charts
}

// images returns the images that the objects and hooks of the layer name,
// sorted.
func (l *layerWork) images() []string {
	var all []string
	for _, o := range l.output.Objects {
		all = append(all, o.Images()...)
	}
	for _, h := range l.output.Hooks {
		all = append(all, h.Object.Images()...)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

func (w *work) step() Step {
	return Step{Layer: w.layer, Profile: w.profile, Action: w.action, Object: ObjectRef(w.ref), Reason: w.reason, Changes: w.changes, Drift: w.drift}
}

// conflict returns the error of a work that other managers keep from being
// applied.
func (w *work) conflict(fields []kube.FieldConflict) error {
	e := &ConflictError{Object: ObjectRef(w.ref)}
	for _, f := range fields {
		e.Fields = append(e.Fields, FieldConflict(f))
	}
	return e
}

// record returns what the inventory keeps of w before it is applied.
func (w *work) record() inventory.Object {
	return inventory.Object{Ref: w.ref, Resource: w.resource.Resource, Batch: int(w.batch), Keep: w.keep, Ignore: w.ignore, Created: w.created}
}

// applied returns what the inventory keeps of w once it is applied.
func (w *work) applied(meta *metav1.PartialObjectMetadata) inventory.Object {
	record := w.record()
	record.Drift = w.recorded(meta)
	record.UID, record.Applied, record.Fields = meta.UID, w.digest, kube.OwnFields(meta.ManagedFields, w.ignore)
	return record
}

// newWork makes work of an object: its namespace set, and labelled as ours.
func (s *session) newWork(l layer.Layer, o render.Object, resource kube.Resource) (*work, error) {
	object := o.DeepCopy()
	switch {
	case !resource.Namespaced:
		object.SetNamespace("")
	case object.GetNamespace() == "":
		object.SetNamespace(o.DefaultNamespace)
	}
	if o.Release != "" && !o.FromCRDs {
		markAsHelm(object.Unstructured, releaseKey{o.DefaultNamespace, o.Release})
	}
	// What the server fills in is not ours to set.
	unstructured.RemoveNestedField(object.Object, "metadata", "creationTimestamp")
	unstructured.RemoveNestedField(object.Object, "status")
	w, err := s.finish(l.Name, fmt.Sprintf("%s:%d", o.Source, o.Line), object.Unstructured, resource)
	if err != nil {
		return nil, err
	}
	if o.Release != "" {
		w.release = releaseKey{o.DefaultNamespace, o.Release}
	}
	w.adopt, w.policy = l.Adopt, s.driftPolicy(l.Drift)
	w.ignore = ignored(w.policy, w.ref)
	w.keep = w.keep || slices.Contains(l.Keep, w.ref.GVK().GroupKind().String())
	return w, nil
}

func (s *session) finish(name, source string, object *unstructured.Unstructured, resource kube.Resource) (*work, error) {
	labels := object.GetLabels()
	if labels == nil {
		labels = map[string]string{}
	}
	labels[inventory.PartOf] = s.id
	if name != "" {
		labels[layerLabel] = name
	}
	object.SetLabels(labels)
	data, err := json.Marshal(object.Object)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", source, err)
	}
	ref := kube.RefOf(object)
	return &work{
		layer: name, source: source, object: object, ref: ref, resource: resource, data: data, digest: digest.FromBytes(data),
		batch:  manifest.BatchOf(ref.GVK().GroupKind()),
		keep:   object.GetAnnotations()[policyAnnotation] == "keep",
		policy: s.driftPolicy(layer.DriftPolicy{}),
	}, nil
}

// Package inventory keeps the record, on the cluster, of what an installation
// owns there: layers, what they were made from, and their objects.
//
// The record is written before objects are applied, with the old and the new
// ones, and again after. So whatever stops a run, nothing is left unowned.
package inventory

import (
	"slices"
	"strings"
	"time"

	"github.com/opencontainers/go-digest"
	"k8s.io/apimachinery/pkg/types"

	"github.com/strata-go/strata/internal/helm"
	"github.com/strata-go/strata/internal/kube"
	"github.com/strata-go/strata/layer"
	"github.com/strata-go/strata/profile"
)

// An Inventory is what an installation owns. The zero Inventory owns nothing.
type Inventory struct {
	// Desired is the digest of the state that was last brought about in full.
	Desired digest.Digest `json:"desired,omitempty"`
	// Begun is the digest of the state that was last begun, and Back is too if it
	// is an earlier one that is being gone back to.
	Begun digest.Digest `json:"begun,omitempty"`
	Back  digest.Digest `json:"back,omitempty"`
	// States are those that the installation can go back to, the oldest first.
	// The slice is never changed in place.
	States []State `json:"states,omitempty"`
	// Profiles are those of the state that was last begun.
	Profiles []profile.ID `json:"profiles,omitempty"`
	// Lock pins the sources of that state.
	Lock *profile.Lock `json:"lock,omitempty"`
	// Holder is the run that is changing the installation.
	Holder Holder `json:"holder,omitzero"`
	// Layers are in the order in which they are installed. Those that are no
	// longer wanted and not yet removed are among them.
	Layers []Layer `json:"layers,omitempty"`
	// Namespaces are those that layers are installed in and that we made, or
	// labelled, for them.
	Namespaces []Object `json:"namespaces,omitempty"`

	version string // of the stored record; "" if there is none
}

// A Holder is a run that others must not disturb, until some time.
type Holder struct {
	Name  string    `json:"name"`
	Until time.Time `json:"until"`
}

// A Layer is what is known of one layer.
type Layer struct {
	Name         string     `json:"name"`
	Kind         layer.Kind `json:"kind"`
	InstallOrder int        `json:"installOrder,omitempty"`
	Profile      profile.ID `json:"profile"`
	Pin          layer.Pin  `json:"pin,omitzero"`
	// Inputs is the digest of everything that the objects were made from.
	// It is empty while not all of them are applied.
	Inputs digest.Digest `json:"inputs,omitempty"`
	// Base is the digest of the inputs without what the templates look at of the
	// cluster, which Queries are. Past is what impure functions of templates gave
	// for it, secrets among it. Neither is ever changed in place.
	Base    digest.Digest `json:"base,omitempty"`
	Queries helm.Queries  `json:"queries,omitzero"`
	Past    helm.Past     `json:"past,omitzero"`
	// Ready is when all objects of these inputs were first seen ready; zero
	// if they were not.
	Ready time.Time `json:"ready,omitzero"`
	// Aim is the digest of the inputs that were last worked towards, Began when
	// the work began, and Applied when all objects of them had been applied.
	// Began is zero while the layer waits for those below it.
	Aim     digest.Digest `json:"aim,omitempty"`
	Began   time.Time     `json:"began,omitzero"`
	Applied time.Time     `json:"applied,omitzero"`
	// Failure is what the last pass met; zero if it met nothing.
	Failure Failure `json:"failure,omitzero"`
	// Charts are those of the layer, and Images those that its objects name,
	// sorted. They are never changed in place.
	Charts []Chart  `json:"charts,omitempty"`
	Images []string `json:"images,omitempty"`
	// Dropped says that the layer is no longer wanted, and not yet removed.
	Dropped bool `json:"dropped,omitempty"`
	// Releases are the Helm releases of the layer that were recorded as deployed.
	Releases []Release `json:"releases,omitempty"`
	// Coming are releases that are being brought about, in the content that they
	// will have.
	Coming  []Release `json:"coming,omitempty"`
	Objects []Object  `json:"objects,omitempty"`
	// Hooks are how far the hooks of the releases have come.
	Hooks []HookRun `json:"hooks,omitempty"`
	// Leftovers are objects that hooks were and that are still there, and those
	// that hooks will be.
	Leftovers []Object `json:"leftovers,omitempty"`
	// Namespaces are those that the layer is installed in.
	Namespaces []Namespace `json:"namespaces,omitempty"`
}

// A Failure is why a layer could not be brought to its state.
type Failure struct {
	Message  string    `json:"message"` // it holds nothing sensitive
	Terminal bool      `json:"terminal,omitempty"`
	Since    time.Time `json:"since"`
}

// A Chart is a chart of a layer, and the release that it is installed as.
type Chart struct {
	Name       string `json:"name"`
	Version    string `json:"version"`
	AppVersion string `json:"appVersion,omitempty"`
	Release    string `json:"release"`
	Namespace  string `json:"namespace"`
}

// Renew says that the layer is yet to become what these inputs make of it.
func (l *Layer) Renew(inputs digest.Digest) {
	if !l.Ready.IsZero() || l.Aim != inputs {
		l.Aim, l.Began, l.Applied, l.Failure = inputs, time.Time{}, time.Time{}, Failure{}
	}
	l.Inputs, l.Ready = "", time.Time{}
}

// Begin says that the layer has its turn at a time, unless it is ready or had
// it before.
func (l *Layer) Begin(now time.Time) {
	if l.Ready.IsZero() && l.Began.IsZero() {
		l.Began = now
	}
}

// maxMessage bounds what is kept of a failure, in bytes.
const maxMessage = 2000

// Fail says that the layer met a failure at a time. One that it met before is
// as old as it was. The zero Failure says that it met none.
func (l *Layer) Fail(f Failure) {
	if len(f.Message) > maxMessage {
		f.Message = strings.ToValidUTF8(f.Message[:maxMessage], "") + " ..."
	}
	if f.Message == l.Failure.Message && f.Terminal == l.Failure.Terminal {
		f.Since = l.Failure.Since
	}
	l.Failure = f
}

// A HookRun is how far the hooks of one event of a release have come.
type HookRun struct {
	Release   string        `json:"release"`
	Namespace string        `json:"namespace"`
	Event     string        `json:"event"`
	Content   digest.Digest `json:"content"`            // of the release
	Revision  int           `json:"revision,omitempty"` // of the release, before the event
	Done      []string      `json:"done,omitempty"`     // the hooks that succeeded, in their order
}

// HookRun returns how far the hooks of an event have come for a content of a
// release, which has the revision of r. For another content or revision than
// before they begin anew.
func (l *Layer) HookRun(r Release, event string, content digest.Digest) *HookRun {
	i := slices.IndexFunc(l.Hooks, func(h HookRun) bool {
		return h.Release == r.Name && h.Namespace == r.Namespace && h.Event == event
	})
	if i < 0 {
		l.Hooks = append(l.Hooks, HookRun{Release: r.Name, Namespace: r.Namespace, Event: event, Content: content})
		i = len(l.Hooks) - 1
	}
	if l.Hooks[i].Content != content || l.Hooks[i].Revision != r.Revision {
		l.Hooks[i].Content, l.Hooks[i].Revision, l.Hooks[i].Done = content, r.Revision, nil
	}
	return &l.Hooks[i]
}

// ForgetRuns says that the hooks of a release have run for what it is now.
// When it is changed, and changed back, they run again.
func (l *Layer) ForgetRuns(r Release) {
	l.Hooks = slices.DeleteFunc(l.Hooks, func(h HookRun) bool { return h.Release == r.Name && h.Namespace == r.Namespace })
}

// Leftover returns the object that a hook made or will make, or nil.
func (l *Layer) Leftover(key kube.Key) *Object {
	i := slices.IndexFunc(l.Leftovers, func(o Object) bool { return o.Key() == key })
	if i < 0 {
		return nil
	}
	return &l.Leftovers[i]
}

// Remember keeps in mind that a hook made an object, or will.
func (l *Layer) Remember(o Object) {
	if known := l.Leftover(o.Key()); known != nil {
		*known = o
		return
	}
	l.Leftovers = append(l.Leftovers, o)
}

// Forget says that an object that a hook made is gone.
func (l *Layer) Forget(key kube.Key) {
	l.Leftovers = slices.DeleteFunc(l.Leftovers, func(o Object) bool { return o.Key() == key })
}

// A Namespace is what a layer wants of a namespace that it is installed in.
type Namespace struct {
	Name        string            `json:"name"`
	Labels      map[string]string `json:"labels,omitempty"`
	Annotations map[string]string `json:"annotations,omitempty"`
}

// A Release is a Helm release.
type Release struct {
	Name      string        `json:"name"`
	Namespace string        `json:"namespace"`
	Revision  int           `json:"revision"`
	Content   digest.Digest `json:"content"` // of the revision
}

// An Object is an object that the layer owns.
type Object struct {
	kube.Ref
	// Resource is the plural name that the API serves the kind under.
	Resource string `json:"resource"`
	// UID is empty while the object was not applied.
	UID types.UID `json:"uid,omitempty"`
	// Applied is the digest of the object as it was last applied, and Fields
	// that of our entry in its managed fields after that: see [kube.OwnFields].
	Applied digest.Digest `json:"applied,omitempty"`
	Fields  digest.Digest `json:"fields,omitempty"`
	// Batch orders the objects within the layer.
	Batch int `json:"batch,omitempty"`
	// Ignore are JSON pointers of fields that others may change.
	Ignore []string `json:"ignore,omitempty"`
	// Keep says that the object stays when it is no longer wanted.
	Keep bool `json:"keep,omitempty"`
	// Dropped says that the object is no longer wanted, and not yet removed.
	Dropped bool `json:"dropped,omitempty"`
	// Created says that the object was not there before us.
	Created bool `json:"created,omitempty"`
	// Drift is what is known of changes that others made, or nil. It is never
	// changed in place.
	Drift *Drift `json:"drift,omitempty"`
}

// Served returns how the API serves the object.
func (o Object) Served() kube.Resource {
	return kube.Resource{GroupVersionResource: o.GVK().GroupVersion().WithResource(o.Resource), Namespaced: o.Namespace != ""}
}

// Layer returns the layer of that name, or nil.
func (inv *Inventory) Layer(name string) *Layer {
	i := slices.IndexFunc(inv.Layers, func(l Layer) bool { return l.Name == name })
	if i < 0 {
		return nil
	}
	return &inv.Layers[i]
}

// Wanted returns the objects of the layer that are not dropped.
func (l *Layer) Wanted() []Object {
	return slices.DeleteFunc(slices.Clone(l.Objects), func(o Object) bool { return o.Dropped })
}

// Object returns the object with the key, or nil.
func (l *Layer) Object(key kube.Key) *Object {
	i := slices.IndexFunc(l.Objects, func(o Object) bool { return o.Key() == key })
	if i < 0 {
		return nil
	}
	return &l.Objects[i]
}

// Release returns the release of that name and namespace, or nil.
func (l *Layer) Release(name, namespace string) *Release {
	i := slices.IndexFunc(l.Releases, func(r Release) bool { return r.Name == name && r.Namespace == namespace })
	if i < 0 {
		return nil
	}
	return &l.Releases[i]
}

// SetRelease adds a release, or replaces what is known of it. If its content
// becomes unknown, its hooks run again.
func (l *Layer) SetRelease(r Release) {
	if r.Content == "" {
		l.DropRelease(r.Name, r.Namespace)
	}
	if known := l.Release(r.Name, r.Namespace); known != nil {
		*known = r
		return
	}
	l.Releases = append(l.Releases, r)
}

// DropRelease forgets a release, and how far its hooks have come.
func (l *Layer) DropRelease(name, namespace string) {
	l.Releases = slices.DeleteFunc(l.Releases, func(r Release) bool { return r.Name == name && r.Namespace == namespace })
	l.ForgetRuns(Release{Name: name, Namespace: namespace})
}

// Expect keeps in mind that a release is being brought about, and reports
// whether that is new.
func (l *Layer) Expect(r Release) bool {
	if slices.Contains(l.Coming, r) {
		return false
	}
	l.Arrive(r)
	l.Coming = append(l.Coming, r)
	return true
}

// Arrive says that a release is no longer being brought about.
func (l *Layer) Arrive(r Release) {
	l.Coming = slices.DeleteFunc(l.Coming, func(c Release) bool { return c.Name == r.Name && c.Namespace == r.Namespace })
}

// ReleaseNamespaces returns the namespaces that hold records of Helm releases,
// sorted.
func (inv *Inventory) ReleaseNamespaces() []string {
	var all []string
	for _, l := range inv.Layers {
		for _, r := range l.Releases {
			all = append(all, r.Namespace)
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// All returns all objects, those of the layers before the namespaces.
func (inv *Inventory) All() []Object {
	var all []Object
	for _, l := range inv.Layers {
		all = append(all, l.Objects...)
	}
	return append(all, inv.Namespaces...)
}

// Empty reports whether inv owns nothing.
func (inv *Inventory) Empty() bool { return len(inv.Layers) == 0 && len(inv.Namespaces) == 0 }

// Stored reports whether there is a stored record of inv.
func (inv *Inventory) Stored() bool { return inv.version != "" }

// Clone returns a deep copy of inv.
func (inv *Inventory) Clone() *Inventory {
	c := *inv
	c.Layers = slices.Clone(inv.Layers)
	c.Namespaces = slices.Clone(inv.Namespaces)
	for i := range c.Layers {
		c.Layers[i] = c.Layers[i].Clone()
	}
	return &c
}

// Clone returns a deep copy of l.
func (l Layer) Clone() Layer {
	l.Objects = slices.Clone(l.Objects)
	l.Releases = slices.Clone(l.Releases)
	l.Coming = slices.Clone(l.Coming)
	l.Leftovers = slices.Clone(l.Leftovers)
	l.Hooks = slices.Clone(l.Hooks)
	for i := range l.Hooks {
		l.Hooks[i].Done = slices.Clone(l.Hooks[i].Done)
	}
	return l
}

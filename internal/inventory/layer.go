package inventory

import (
	"slices"
	"strings"
	"time"

	"github.com/opencontainers/go-digest"

	"github.com/strata-go/strata/internal/helm"
	"github.com/strata-go/strata/internal/kube"
	"github.com/strata-go/strata/layer"
	"github.com/strata-go/strata/profile"
)

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
	// Turn is the Base with which the layer last had its turn. What templates looked
	// up before that counts for nothing.
	Turn digest.Digest `json:"turn,omitempty"`
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
	// Dropped says that the layer is no longer wanted, and not yet removed; Gone,
	// that nothing is left of it but for its namespaces.
	Dropped bool `json:"dropped,omitempty"`
	Gone    bool `json:"gone,omitempty"`
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
	// Namespaces are those that the layer is installed in, Allow what it says that
	// it may have, HookTimeout for how long its hooks may run: those of its deletion
	// too, when nobody has the layer any more.
	Namespaces  []Namespace     `json:"namespaces,omitempty"`
	Allow       layer.Allowance `json:"allow,omitzero"`
	HookTimeout layer.Duration  `json:"hookTimeout,omitempty"`
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
	l.Turn = l.Base
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

// A Namespace is what a layer wants of a namespace that it is installed in.
type Namespace struct {
	Name        string            `json:"name"`
	Labels      map[string]string `json:"labels,omitempty"`
	Annotations map[string]string `json:"annotations,omitempty"`
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

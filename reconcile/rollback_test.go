package reconcile_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"testing"

	"github.com/opencontainers/go-digest"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/strata-go/strata/layer"
	"github.com/strata-go/strata/profile"
	"github.com/strata-go/strata/reconcile"
)

// versions are the states of one installation: a chart with hooks whose values
// differ, a secret, and layers that come and go.
type versions struct{ *life }

func (v versions) desired(version, text string, more ...layer.Layer) *profile.Desired {
	v.Helper()
	secret := plain("secret", "apiVersion: v1\nkind: Secret\nmetadata: {name: "+v.target.Name+", namespace: default}\nstringData: {token: '{{ .spectro.var.token }}'}\n")
	chart := layer.Layer{Name: "app", Namespace: v.target.Name, Values: "text: " + text, Source: layer.Source{Helm: &layer.Helm{Chart: "hooked"}}}
	p := &profile.Profile{
		Name: "versions", Version: version, Type: profile.AddOn, Layers: append(more, secret, chart),
		Variables: []profile.Variable{{Name: "token", Sensitive: true, Required: true}},
	}
	s, err := profile.Compose(p)
	if err != nil {
		v.Fatal(err)
	}
	s.Variables = map[string]string{"token": secretToken + version}
	d, err := s.Resolve(v.ctx, v.server.Client(), nil)
	if err != nil {
		v.Fatal(err)
	}
	return d
}

// text returns what the config map of the chart says.
func (v versions) text() string {
	v.Helper()
	cm, err := v.kube.CoreV1().ConfigMaps(v.target.Name).Get(v.ctx, "app", metav1.GetOptions{})
	if err != nil {
		v.Fatal(err)
	}
	return cm.Data["text"]
}

// history returns the versions of the good states, newest first; the current
// one is marked.
func (v versions) history() []string {
	v.Helper()
	states, err := v.engine.History(v.ctx, v.target)
	if err != nil {
		v.Fatal(err)
	}
	var all []string
	for _, s := range states {
		one := s.Profiles[0].Version
		if s.Current {
			one += " now"
		}
		if s.Lock == nil || s.Lock.Profiles[0].Version != s.Profiles[0].Version || s.Ready.IsZero() {
			v.Errorf("the state %s has lock %v, ready %v", one, s.Lock, s.Ready)
		}
		all = append(all, one)
	}
	return all
}

func (v versions) keeps(want ...string) {
	v.Helper()
	if got := v.history(); !slices.Equal(got, want) {
		v.Errorf("the history is %q, want %q", got, want)
	}
}

func (v versions) back(to digest.Digest) {
	v.Helper()
	if result, err := v.engine.RollbackAndWait(v.ctx, v.target, to); err != nil || !result.Ready {
		v.Fatalf("RollbackAndWait = %+v, %v", result, err)
	}
}

func TestE2ERollback(t *testing.T) {
	l := newLife(t, "back")
	v := versions{l}
	if _, err := l.server.Client().PushChart(l.ctx, l.server.URL, files(
		"Chart.yaml", "apiVersion: v2\nname: hooked\nversion: 1.0.0\n",
		"values.yaml", "fail: false\n",
		"templates/config.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: {{ .Release.Name }}}\ndata: {text: {{ .Values.text }}}\n",
		"templates/back.yaml", hookFile("back", "pre-rollback", "0", ""),
		"templates/up.yaml", hookFile("up", "pre-upgrade", "0", ""),
	)); err != nil {
		t.Fatal(err)
	}
	if _, err := l.engine.Rollback(l.ctx, l.target, ""); len(asError[*reconcile.UnknownStateError](t, err).Known) > 0 || !errors.Is(err, reconcile.ErrTerminal) {
		t.Errorf("without an installation: error = %v", err)
	}
	extra := plain("extra", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: back-extra, namespace: default}\n")
	extra.InstallOrder = -1
	one, two, three := v.desired("1.0.0", "one", extra), v.desired("2.0.0", "two"), v.desired("3.0.0", "three")
	l.converge(one)
	if _, err := l.engine.Rollback(l.ctx, l.target, ""); len(asError[*reconcile.UnknownStateError](t, err).Known) != 1 {
		t.Errorf("with one state: error = %v", err)
	}
	l.converge(two)
	l.converge(three)
	v.keeps("3.0.0 now", "2.0.0", "1.0.0")
	v.goesBack(one)
	v.goesToThePrevious(three)
	v.recoversFrom(v.desired("4.0.0", "four\nfail: true"))
	v.showsNoSecrets()
	l.removes()
	if list, err := l.kube.CoreV1().Secrets(l.target.Namespace).List(l.ctx, metav1.ListOptions{}); err != nil || len(list.Items) > 0 {
		t.Errorf("after the deletion there are %d secrets, %v", len(list.Items), err)
	}
}

// goesBack goes to the first state: by plan, which Apply carries out.
func (v versions) goesBack(to *profile.Desired) {
	v.rec.take()
	plan, err := v.engine.PlanRollback(v.ctx, v.target, to.Digest())
	if err != nil {
		v.Fatal(err)
	}
	if _, writes := v.rec.take(); len(writes) > 0 || plan.Desired != to.Digest() || plan.Count(reconcile.Create) != 1 {
		v.Errorf("planning writes %v; the plan is\n%s", writes, plan)
	}
	unknown := digest.FromString("nothing")
	_, err = v.engine.Rollback(v.ctx, v.target, unknown)
	if e := asError[*reconcile.UnknownStateError](v.T, err); e.State != unknown || len(e.Known) != 3 || e.Known[2] != to.Digest() {
		v.Errorf("error = %v, want the digests that there are", err)
	}
	v.events = nil
	if _, err := v.engine.Apply(v.ctx, v.target, plan); err != nil {
		v.Fatal(err)
	}
	v.back("") // it goes on with what was begun
	want := []string{"create back-extra", "pre-rollback app-back", "update app"}
	if got := v.trace(); !slices.Equal(got, want) {
		v.Errorf("what happened is %q, want %q", got, want)
	}
	if _, err := v.kube.CoreV1().ConfigMaps("default").Get(v.ctx, "back-extra", metav1.GetOptions{}); err != nil || v.text() != "one" {
		v.Errorf("the state is not the first: %q, %v", v.text(), err)
	}
	if got := v.helm("history", "app", "-n", "back"); !strings.Contains(got, "Rollback to 1") || strings.Count(got, "superseded") != 3 {
		v.Errorf("helm history says\n%s", got)
	}
	v.keeps("1.0.0 now", "3.0.0", "2.0.0", "1.0.0")
	if result, err := v.engine.Reconcile(v.ctx, v.target, to); err != nil || !result.Ready || result.Cost.Writes > 0 {
		v.Errorf("reconciling that state = %+v, %v; want nothing done", result, err)
	}
}

// goesToThePrevious goes to the state before, without a digest.
func (v versions) goesToThePrevious(previous *profile.Desired) {
	v.events = nil
	v.back("")
	if got := v.trace(); v.text() != "three" || got[0] != "pre-rollback app-back" {
		v.Errorf("the state is %q after %q, want the third", v.text(), got)
	}
	if _, err := v.kube.CoreV1().ConfigMaps("default").Get(v.ctx, "back-extra", metav1.GetOptions{}); !apierrors.IsNotFound(err) {
		v.Errorf("the layer of the first state is there: %v", err)
	}
	// Hooks that ran for a content run again when it comes back.
	v.converge(v.desired("2.0.0", "two"))
	v.events = nil
	v.back(previous.Digest())
	if got := v.trace(); len(got) == 0 || got[0] != "pre-rollback app-back" {
		v.Errorf("going back a second time does %q, want the hooks again", got)
	}
}

// recoversFrom goes back from a state that never becomes ready.
func (v versions) recoversFrom(broken *profile.Desired) {
	before := v.history()
	_, err := v.engine.Converge(v.ctx, v.target, broken)
	asError[*reconcile.FailedError](v.T, err)
	if states := v.history(); strings.Contains(fmt.Sprint(states), "4.0.0") || strings.Contains(fmt.Sprint(states), "now") {
		v.Errorf("after a failed upgrade the history is %q", states)
	}
	v.back("")
	if v.text() != "three" || !slices.Equal(v.history(), before) {
		v.Errorf("the state is %q with history %q, want the third with %q", v.text(), v.history(), before)
	}
}

// showsNoSecrets checks that sensitive values are in no status and in no event.
func (v versions) showsNoSecrets() {
	states, err := v.engine.History(v.ctx, v.target)
	status, err2 := v.engine.Status(v.ctx, v.target)
	if text := fmt.Sprintf("%+v %+v %+v", states, status, v.events); err != nil || err2 != nil || strings.Contains(text, secretToken) {
		v.Errorf("a sensitive value is shown: %s, %v, %v", text, err, err2)
	}
}

// An eleventh state takes the place of the first. Any store will do.
func TestE2EHistoryIsBounded(t *testing.T) {
	l := newLife(t, "bounded")
	store := new(reconcile.MemoryStore)
	l.engine.Store = store
	state := func(n int) *profile.Desired {
		t.Helper()
		return manifests(t, fmt.Sprintf("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: bounded, namespace: default}\ndata: {n: '%d'}\n", n))
	}
	for n := range 13 {
		l.converge(state(n))
	}
	states, err := l.engine.History(l.ctx, l.target)
	if err != nil || len(states) != 10 || states[0].Digest != state(12).Digest() || states[9].Digest != state(3).Digest() {
		t.Errorf("the history is %+v, %v; want the last ten", states, err)
	}
	for _, s := range states {
		if s.Lock == nil {
			t.Errorf("the record of %s is gone", s.Digest)
		}
	}
	records := 0
	for n := range 20 {
		if data, _, _ := store.Load(l.ctx, fmt.Sprintf("bounded.%d", n)); data != nil {
			records++
		}
	}
	if records != 10 {
		t.Errorf("there are %d records, want 10", records)
	}
	versions{l}.back(state(3).Digest())
	if err := store.Delete(l.ctx, "bounded.5"); err != nil {
		t.Fatal(err)
	}
	if _, err := l.engine.Rollback(l.ctx, l.target, state(5).Digest()); asError[*reconcile.UnknownStateError](t, err).Err == nil {
		t.Errorf("without its record: error = %v", err)
	}
	l.removes()
}

// infra returns a stack on a version of Kubernetes, with add-on layers.
func (v versions) infra(kubernetes string, addons ...layer.Layer) *profile.Desired {
	v.Helper()
	p := &profile.Profile{Name: "full", Version: "1.0.0", Layers: addons}
	for kind, version := range map[layer.Kind]string{layer.OS: "22.4.0", layer.Kubernetes: kubernetes, layer.Network: "1.0.0", layer.Storage: "1.0.0"} {
		p.Layers = append(p.Layers, layer.Layer{Name: string(kind), Kind: kind, Source: layer.Source{Pack: &layer.Pack{Name: string(kind), Version: version}}})
	}
	d, err := profile.Resolve(v.ctx, v.server.Client(), nil, p)
	if err != nil {
		v.Fatal(err)
	}
	return d
}

// All that cannot go back is said at once, before anything is written.
func TestE2ERollbackRefused(t *testing.T) {
	l := newLife(t, "refused")
	v := versions{l}
	for _, pack := range [][3]string{{"os", "22.4.0", "os"}, {"kubernetes", "1.35.1", "k8s"}, {"kubernetes", "1.36.3", "k8s"}, {"network", "1.0.0", "cni"}, {"storage", "1.0.0", "csi"}} {
		if _, err := l.server.Client().PushPack(l.ctx, l.server.URL, plainPack(pack[0], pack[1], pack[2])); err != nil {
			t.Fatal(err)
		}
	}
	content := "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: refused, namespace: default}\nimmutable: true\ndata: {a: OLD}\n" +
		"---\napiVersion: v1\nkind: Secret\nmetadata: {name: refused, namespace: default}\ntype: example.com/OLD\n"
	definition := func(versions string) string {
		return "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {name: things.refused.example.com}\n" +
			"spec: {group: refused.example.com, scope: Namespaced, names: {kind: Thing, plural: things, singular: thing}, versions: [" + versions + "]}\n"
	}
	const v1, v2 = "{name: v1, served: true, storage: STORED, schema: {openAPIV3Schema: {type: object}}}", "{name: v2, served: true, storage: true, schema: {openAPIV3Schema: {type: object}}}"
	old, replaced := plain("fixed", content), plain("fixed", strings.ReplaceAll(content, "OLD", "new"))
	types, newer := plain("types", definition(strings.Replace(v1, "STORED", "true", 1))), plain("types", definition(strings.Replace(v1, "STORED", "false", 1)+", "+v2))
	first, second, third := v.infra("1.35.1", old, types), v.infra("1.36.3", old), v.infra("1.36.3", replaced, newer)
	l.converge(first)
	l.converge(second)
	l.engine.Replace, l.engine.BreakCRDs = []string{"*"}, []string{"*"}
	l.converge(third)
	l.engine.Replace, l.engine.BreakCRDs = nil, nil

	l.rec.take()
	_, err := l.engine.RollbackAndWait(l.ctx, l.target, first.Digest())
	if _, writes := l.rec.take(); len(writes) > 0 || !errors.Is(err, reconcile.ErrTerminal) {
		t.Errorf("what cannot be writes %v; error = %v", writes, err)
	}
	e := asError[*reconcile.RollbackError](t, err)
	asError[*reconcile.ImmutableError](t, err)
	asError[*reconcile.DefinitionError](t, err)
	var found []string
	for _, p := range e.Problems {
		found = append(found, strings.Join([]string{p.Layer, p.Object.Kind, p.Field}, " "))
	}
	slices.Sort(found)
	want := []string{"fixed ConfigMap data", "fixed Secret type", "kubernetes  ", "types CustomResourceDefinition .spec.versions[v2]"}
	if e.State != first.Digest() || !slices.Equal(found, want) {
		t.Errorf("problems are %q: %v; want %q", found, err, want)
	}
	if got := fmt.Sprint(v.history()); got != "[1.0.0 now 1.0.0 1.0.0]" {
		t.Errorf("the history is %s", got)
	}
	_, err = l.engine.PlanRollback(l.ctx, l.target, "")
	if e := asError[*reconcile.RollbackError](t, err); e.State != second.Digest() || len(e.Problems) != 2 {
		t.Errorf("problems are %+v", e.Problems)
	}
	// Where it is allowed, it is done.
	l.engine.Replace = []string{"ConfigMap", "Secret"}
	v.back("")
	if secret, err := l.kube.CoreV1().Secrets("default").Get(l.ctx, "refused", metav1.GetOptions{}); err != nil || secret.Type != "example.com/OLD" {
		t.Errorf("the secret is %v, %v", secret.Type, err)
	}
	l.removes()
}

// emptied is a registry from which everything was deleted.
type emptied struct{}

func (emptied) Fetch(_ context.Context, pin layer.Pin) (fs.FS, error) {
	return nil, fmt.Errorf("%s: %w", pin, layer.ErrNotFound)
}

// Content that is gone is found before anything is written.
func TestE2ERollbackWithoutContent(t *testing.T) {
	l := newLife(t, "lost")
	v := versions{l}
	if _, err := l.server.Client().PushChart(l.ctx, l.server.URL, hookChart("1.0.0")); err != nil {
		t.Fatal(err)
	}
	l.converge(v.desired("1.0.0", "one"))
	l.converge(manifests(t, "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: lost, namespace: default}\n"))
	l.engine.Fetcher = emptied{}
	l.rec.take()
	_, err := l.engine.RollbackAndWait(l.ctx, l.target, "")
	if _, writes := l.rec.take(); len(writes) > 0 {
		t.Errorf("it writes %v", writes)
	}
	if e := asError[*reconcile.RollbackError](t, err); !errors.Is(err, layer.ErrNotFound) || e.Problems[0].Layer != "app" {
		t.Errorf("error = %v, want the content that is gone", err)
	}
	l.removes()
}

// Pods of the state that failed say nothing of the one that is gone back to.
func TestE2ERollbackOfPods(t *testing.T) {
	l := newLife(t, "pods")
	state := func(annotations string) *profile.Desired {
		return manifests(t, strings.NewReplacer("NAME", "pods", "ANNOTATIONS", annotations).Replace(workload))
	}
	l.converge(state(""))
	for range 3 {
		_, err := l.engine.Converge(l.ctx, l.target, state(`strata.dev/test-image-pull: "fail"`))
		asError[*reconcile.FailedError](t, err)
		versions{l}.back("")
	}
	l.removes()
}

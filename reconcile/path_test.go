package reconcile_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	"github.com/strata-go/strata/profile"
	"github.com/strata-go/strata/reconcile"
	"github.com/strata-go/strata/registry/registrytest"
)

// life is one installation from its first day to its last.
type life struct {
	*testing.T
	ctx     context.Context
	server  *registrytest.Server
	rec     *recorder
	kube    *kubernetes.Clientset
	dynamic dynamic.Interface
	target  reconcile.Target
	engine  *reconcile.Reconciler
	events  []reconcile.Event
}

func newLife(t *testing.T, name string) *life {
	t.Helper()
	needsControlPlane(t)
	config, rec, clientset := recorded(t)
	plain := rest.CopyConfig(shared.Config)
	plain.QPS = -1
	dyn, err := dynamic.NewForConfig(plain)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	t.Cleanup(cancel)
	l := &life{T: t, ctx: ctx, server: registrytest.New(t), rec: rec, kube: clientset, dynamic: dyn}
	// A namespace for each, as the last to leave removes it.
	l.target = reconcile.Target{Config: config, Name: name, Namespace: "strata-" + name}
	l.engine = &reconcile.Reconciler{Fetcher: l.server.Client(), OnEvent: func(e reconcile.Event) { l.events = append(l.events, e) }}
	return l
}

func (l *life) converge(d *profile.Desired) *reconcile.Result {
	l.Helper()
	result, err := l.engine.Converge(l.ctx, l.target, d)
	if err != nil {
		l.Fatal(err)
	}
	if !result.Ready || len(result.Waiting) > 0 || result.RetryAfter != 0 {
		l.Fatalf("Converge returns %+v, want ready", result)
	}
	return result
}

// an object of the installation that is looked at with plain client-go.
type object struct {
	resource        schema.GroupVersionResource
	namespace, name string
}

var (
	configMaps  = schema.GroupVersionResource{Version: "v1", Resource: "configmaps"}
	secrets     = schema.GroupVersionResource{Version: "v1", Resource: "secrets"}
	services    = schema.GroupVersionResource{Version: "v1", Resource: "services"}
	spaces      = schema.GroupVersionResource{Version: "v1", Resource: "namespaces"}
	deployments = schema.GroupVersionResource{Group: "apps", Version: "v1", Resource: "deployments"}
	jobs        = schema.GroupVersionResource{Group: "batch", Version: "v1", Resource: "jobs"}
	policies    = schema.GroupVersionResource{Group: "networking.k8s.io", Version: "v1", Resource: "networkpolicies"}
	classes     = schema.GroupVersionResource{Group: "storage.k8s.io", Version: "v1", Resource: "storageclasses"}
	crds        = schema.GroupVersionResource{Group: "apiextensions.k8s.io", Version: "v1", Resource: "customresourcedefinitions"}
)

func (l *life) objects() []object {
	p := l.target.Name
	return []object{
		{spaces, "", p + "-net"}, {spaces, "", p + "-web"}, {spaces, "", p + "-app"},
		{policies, p + "-net", "deny-all"},
		{classes, "", "fast"},
		{crds, "", "gadgets." + p + ".example.com"},
		{schema.GroupVersionResource{Group: p + ".example.com", Version: "v1", Resource: "gadgets"}, "default", "first"},
		{deployments, p + "-web", "web"}, {services, p + "-web", "web"}, {configMaps, p + "-web", "web"},
		{deployments, p + "-app", "app-cache"}, {configMaps, p + "-app", "settings"},
		{secrets, p + "-web", "token"}, {jobs, p + "-web", "migrate"},
	}
}

// versions returns the resource versions of all objects, and checks that each
// is there and applied by our field manager.
func (l *life) versions() map[object]string {
	l.Helper()
	versions := map[object]string{}
	for _, o := range l.objects() {
		live, err := l.dynamic.Resource(o.resource).Namespace(o.namespace).Get(l.ctx, o.name, metav1.GetOptions{})
		if err != nil {
			l.Errorf("%v: %v", o, err)
			continue
		}
		if !slices.ContainsFunc(live.GetManagedFields(), func(e metav1.ManagedFieldsEntry) bool {
			return e.Manager == "strata" && e.Operation == metav1.ManagedFieldsOperationApply
		}) {
			l.Errorf("%v is not applied by the field manager strata", o)
		}
		versions[o] = live.GetResourceVersion()
		// Controllers write into the status of these whenever they like.
		if o.resource == deployments || o.resource == jobs || o.resource == crds {
			versions[o] = fmt.Sprint(live.GetGeneration())
		}
	}
	return versions
}

// untouched checks that nothing but the named objects changed.
func (l *life) untouched(before map[object]string, but ...string) {
	l.Helper()
	for o, version := range l.versions() {
		if changed := version != before[o]; changed != slices.Contains(but, o.resource.Resource+"/"+o.name) {
			l.Errorf("%v: changed is %v", o, changed)
		}
	}
}

func TestE2ELife(t *testing.T) {
	l := newLife(t, "life")
	push(t, l.server)
	s := stack(t, "life")
	desired := resolve(t, l.server, s)

	l.installs(desired)
	l.doesNothingTwice(desired)
	l.repairs(desired)
	l.showsStatus()
	l.keepsHelmRecords(desired)
	l.leavesOthersFields(desired)
	l.upgrades(s)
	l.swapsAndRemoves()
	l.deletes()
}

func (l *life) installs(d *profile.Desired) {
	plan, err := l.engine.Plan(l.ctx, l.target, d)
	if err != nil {
		l.Fatal(err)
	}
	if _, writes := l.rec.take(); len(writes) != 0 {
		l.Errorf("planning writes: %v", writes)
	}
	if plan.Count(reconcile.Create) != len(l.objects()) {
		l.Errorf("the plan creates %d objects, want %d:\n%s", plan.Count(reconcile.Create), len(l.objects()), plan)
	}
	// One pass does not wait.
	first, err := l.engine.Reconcile(l.ctx, l.target, d)
	if err != nil {
		l.Fatal(err)
	}
	if first.Ready || first.RetryAfter == 0 || len(first.Waiting) == 0 {
		l.Errorf("the first pass returns %+v, want it to wait", first)
	}
	l.converge(d)
	l.versions()
	web, err := l.kube.AppsV1().Deployments("life-web").Get(l.ctx, "web", metav1.GetOptions{})
	if err != nil || *web.Spec.Replicas != 2 || web.Status.AvailableReplicas != 2 {
		l.Errorf("web is %+v, %v; want 2 replicas available", web.Status, err)
	}
	job, err := l.kube.BatchV1().Jobs("life-web").Get(l.ctx, "migrate", metav1.GetOptions{})
	if err != nil || job.Status.Succeeded != 1 {
		l.Errorf("the job is %+v, %v; want it complete", job.Status, err)
	}
	secret, err := l.kube.CoreV1().Secrets("life-web").Get(l.ctx, "token", metav1.GetOptions{})
	if err != nil || string(secret.Data["token"]) != secretToken {
		l.Errorf("the secret is %q, %v", secret.Data, err)
	}
	for _, e := range l.events {
		if strings.Contains(fmt.Sprint(e), secretToken) {
			l.Errorf("an event shows the token: %v", e)
		}
	}
	l.inOrder()
}

// inOrder checks from the events that a stage begins after the one below is ready.
func (l *life) inOrder() {
	order := map[string]int{"os": 0, "kubernetes": 1, "policies": 2, "storage": 3, "types": 4, "web": 5, "app": 5, "extras": 6}
	ready := map[string]bool{}
	for _, e := range l.events {
		switch e.Type {
		case reconcile.LayerReady:
			ready[e.Layer] = true
		case reconcile.LayerStarted:
			for other, n := range order {
				if n < order[e.Layer] && !ready[other] {
					l.Errorf("layer %s began before %s was ready", e.Layer, other)
				}
			}
		}
	}
	if len(ready) != len(order) {
		l.Errorf("ready are %v, want all of %v", ready, order)
	}
}

func (l *life) doesNothingTwice(d *profile.Desired) {
	before := l.versions()
	l.rec.take()
	asked := l.server.Requests()
	result, err := l.engine.Reconcile(l.ctx, l.target, d)
	if err != nil {
		l.Fatal(err)
	}
	all, writes := l.rec.take()
	if !result.Ready || len(result.Steps) != 0 || len(writes) != 0 {
		l.Errorf("the second reconcile is %+v with writes %v, want nothing done", result, writes)
	}
	kinds := 10 // of the objects
	if len(all) > kinds+3 {
		l.Errorf("the second reconcile makes %d requests, want at most %d: %v", len(all), kinds+3, all)
	}
	if result.Cost.Reads != int64(len(all)) || result.Cost.Writes != 0 {
		l.Errorf("the result says %+v, the transport counted %d", result.Cost, len(all))
	}
	if n := l.server.Requests() - asked; n != 0 {
		l.Errorf("the second reconcile makes %d requests to the registry", n)
	}
	l.untouched(before)
}

func (l *life) repairs(d *profile.Desired) {
	before := l.versions()
	patch := func(o object, kind types.PatchType, data string) {
		l.Helper()
		_, err := l.dynamic.Resource(o.resource).Namespace(o.namespace).Patch(l.ctx, o.name, kind, []byte(data), metav1.PatchOptions{FieldManager: "kubectl-edit"})
		if err != nil {
			l.Fatal(err)
		}
	}
	config, label := object{configMaps, "life-web", "web"}, object{configMaps, "life-app", "settings"}
	patch(config, types.MergePatchType, `{"data": {"text": "changed", "more": "not ours"}}`)
	patch(label, types.JSONPatchType, `[{"op": "remove", "path": "/metadata/labels/applyset.kubernetes.io~1part-of"}]`)
	patch(object{deployments, "life-app", "app-cache"}, types.MergePatchType, `{"spec": {"replicas": 5}}`)
	if err := l.kube.CoreV1().Services("life-web").Delete(l.ctx, "web", metav1.DeleteOptions{}); err != nil {
		l.Fatal(err)
	}
	status, err := l.engine.Status(l.ctx, l.target)
	if err != nil {
		l.Fatal(err)
	}
	drifted := map[string]bool{}
	for _, layer := range status.Layers {
		for _, o := range layer.Objects {
			if o.Health == reconcile.Drifted {
				drifted[o.Kind+"/"+o.Name] = true
			}
		}
	}
	if want := "map[ConfigMap/settings:true ConfigMap/web:true Deployment/app-cache:true Service/web:true]"; fmt.Sprint(drifted) != want {
		l.Errorf("drifted are %v, want %s", drifted, want)
	}
	plan, err := l.engine.Plan(l.ctx, l.target, d)
	if err != nil {
		l.Fatal(err)
	}
	if text := plan.String(); plan.Count(reconcile.Repair) != 4 || !strings.Contains(text, `.data.text: "changed" -> "hello" (owned by "kubectl-edit")`) || !strings.Contains(text, ".spec.replicas: 5 -> 2") {
		l.Errorf("the plan is\n%s", text)
	}
	l.rec.take()
	l.converge(d)
	if _, writes := l.rec.take(); len(writes) != 7 { // four objects; the inventory before, after, and when all is ready
		l.Errorf("the repair writes %v", writes)
	}
	l.untouched(before, "configmaps/web", "configmaps/settings", "services/web", "deployments/app-cache")
	cm, err := l.kube.CoreV1().ConfigMaps("life-web").Get(l.ctx, "web", metav1.GetOptions{})
	if err != nil || cm.Data["text"] != "hello" || cm.Data["more"] != "not ours" {
		l.Errorf("the config map has %v, %v; want ours repaired, and what is not ours left", cm.Data, err)
	}
	settings, err := l.kube.CoreV1().ConfigMaps("life-app").Get(l.ctx, "settings", metav1.GetOptions{})
	if err != nil || !strings.HasPrefix(settings.Labels["applyset.kubernetes.io/part-of"], "applyset-") {
		l.Errorf("the label is not repaired: %v, %v", settings.Labels, err)
	}
}

func (l *life) showsStatus() {
	if want := "applyset.kubernetes.io/part-of=" + l.id(); l.target.Selector() != want {
		l.Errorf("Selector = %s, want %s", l.target.Selector(), want)
	}
	status, err := l.engine.Status(l.ctx, l.target)
	if err != nil {
		l.Fatal(err)
	}
	if !status.Ready() || len(status.Layers) != 8 {
		l.Errorf("the status is\n%s", status)
	}
	table := status.String()
	for _, want := range []string{"LAYER", "web", "1.0.1", "policies", "1.1.0", "apps@1.0.0", "Ready"} {
		if !strings.Contains(table, want) {
			l.Errorf("the table has no %q:\n%s", want, table)
		}
	}
	picture := status.Picture()
	if strings.Index(picture, "extras") > strings.Index(picture, "storage") || strings.Index(picture, "storage") > strings.Index(picture, "✔ os ") {
		l.Errorf("the layers are not in their order:\n%s", picture)
	}
}

// leavesOthersFields has another manager apply a field of ours.
func (l *life) leavesOthersFields(d *profile.Desired) {
	force := true
	apply := func(data string) {
		l.Helper()
		_, err := l.kube.AppsV1().Deployments("life-web").Patch(l.ctx, "web", types.ApplyPatchType,
			[]byte(`{"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"}`+data+`}`), metav1.PatchOptions{FieldManager: "autoscaler", Force: &force})
		if err != nil {
			l.Fatal(err)
		}
	}
	apply(`, "spec": {"replicas": 7}`)
	_, err := l.engine.Reconcile(l.ctx, l.target, d)
	conflict := asError[*reconcile.ConflictError](l.T, err)
	if conflict.Object.Name != "web" || len(conflict.Fields) != 1 || conflict.Fields[0] != (reconcile.FieldConflict{Field: ".spec.replicas", Manager: "autoscaler"}) {
		l.Errorf("conflict is %+v, want .spec.replicas of autoscaler", conflict)
	}
	if l.replicas() != 7 {
		l.Errorf("replicas are %d, want the 7 of the other manager", l.replicas())
	}
	apply("") // it gives the field up
	l.converge(d)
	if l.replicas() != 2 {
		l.Errorf("replicas are %d, want 2 again", l.replicas())
	}
}

func (l *life) replicas() int32 {
	l.Helper()
	var web *appsv1.Deployment
	web, err := l.kube.AppsV1().Deployments("life-web").Get(l.ctx, "web", metav1.GetOptions{})
	if err != nil {
		l.Fatal(err)
	}
	return *web.Spec.Replicas
}

// upgrades takes a newer chart and other values.
func (l *life) upgrades(s *profile.Stack) {
	newer := stack(l.T, "life", "chart: web, version: ~1.0", "chart: web, version: ~1.1", "version: 1.0.0\n  type: add-on", "version: 1.1.0\n  type: add-on")
	newer.Variables = map[string]string{"token": secretToken, "replicas": "3"}
	before := l.versions()
	l.converge(resolve(l.T, l.server, newer))
	l.untouched(before, "deployments/web", "configmaps/web")
	cm, err := l.kube.CoreV1().ConfigMaps("life-web").Get(l.ctx, "web", metav1.GetOptions{})
	if err != nil || cm.Data["text"] != "goodbye" || l.replicas() != 3 {
		l.Errorf("after the upgrade: %v, %v, %d replicas", cm.Data, err, l.replicas())
	}
	if got := l.helm("list", "-A", "--filter", "^web$"); !strings.Contains(got, "web-1.1.0") || !strings.Contains(got, "deployed") {
		l.Errorf("helm list says\n%s", got)
	}
	if got := l.helm("history", "web", "-n", "life-web"); !strings.Contains(got, "superseded") || !strings.Contains(got, "Upgrade complete") {
		l.Errorf("helm history says\n%s", got)
	}
	s.Variables = newer.Variables
}

// swapsAndRemoves swaps the storage layer and removes two others, one of which
// shares its namespace with a stranger.
func (l *life) swapsAndRemoves() {
	stranger := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "stranger"}}
	if _, err := l.kube.CoreV1().ConfigMaps("life-app").Create(l.ctx, stranger, metav1.CreateOptions{}); err != nil {
		l.Fatal(err)
	}
	cut := addonProfile[strings.Index(addonProfile, "  - name: app\n"):]
	changed := stack(l.T, "life", "STORAGE", "slow", cut, "")
	result := l.converge(resolve(l.T, l.server, changed))
	for _, o := range []object{{classes, "", "fast"}, {deployments, "life-app", "app-cache"}, {configMaps, "life-app", "settings"}, {secrets, "life-web", "token"}, {jobs, "life-web", "migrate"}} {
		if _, err := l.dynamic.Resource(o.resource).Namespace(o.namespace).Get(l.ctx, o.name, metav1.GetOptions{}); !apierrors.IsNotFound(err) {
			l.Errorf("%v is not gone: %v", o, err)
		}
	}
	for _, o := range []object{{classes, "", "slow"}, {deployments, "life-web", "web"}, {configMaps, "life-app", "stranger"}, {spaces, "", "life-app"}} {
		if _, err := l.dynamic.Resource(o.resource).Namespace(o.namespace).Get(l.ctx, o.name, metav1.GetOptions{}); err != nil {
			l.Errorf("%v is gone: %v", o, err)
		}
	}
	if i := slices.IndexFunc(result.Kept, func(k reconcile.Kept) bool { return k.Object.Name == "life-app" }); i < 0 || !strings.Contains(result.Kept[i].Reason, "stranger") {
		l.Errorf("kept are %v, want the namespace with the stranger", result.Kept)
	}
	if got := l.helm("list", "-A"); strings.Contains(got, "app-cache") {
		l.Errorf("helm still lists the release of the removed layer:\n%s", got)
	}
}

func (l *life) deletes() {
	l.events = nil
	asked := l.server.Requests()
	l.engine.Prune.CustomResourceDefinitions = true
	result, err := l.engine.DeleteAndWait(l.ctx, l.target)
	if err != nil || !result.Ready {
		l.Fatalf("DeleteAndWait = %+v, %v", result, err)
	}
	if n := l.server.Requests() - asked; n != 0 {
		l.Errorf("deleting makes %d requests to the registry", n)
	}
	l.gone()
	var order, removed []string
	for _, e := range l.events {
		if e.Type == reconcile.ObjectDeleted {
			order = append(order, e.Object.Kind+"/"+e.Object.Name)
		}
		if e.Type == reconcile.LayerRemoved {
			removed = append(removed, e.Layer)
		}
	}
	if slices.Sort(removed); len(removed) == 0 || len(slices.Compact(slices.Clone(removed))) != len(removed) {
		l.Errorf("the layers %q are removed; want each told of once", removed)
	}
	at := func(name string) int { return slices.Index(order, name) }
	if at("Gadget/first") > at("CustomResourceDefinition/gadgets.life.example.com") || at("Deployment/web") > at("StorageClass/slow") || at("StorageClass/slow") > at("NetworkPolicy/deny-all") || at("NetworkPolicy/deny-all") > at("Namespace/life-net") {
		l.Errorf("the order of deletion is %v", order)
	}
	home, err := l.kube.CoreV1().Namespaces().Get(l.ctx, "strata-life", metav1.GetOptions{})
	if err == nil && home.DeletionTimestamp == nil || err != nil && !apierrors.IsNotFound(err) {
		l.Errorf("the namespace of the inventory is %v, %v; want it gone or going", home.Status, err)
	}
	status, err := l.engine.Status(l.ctx, l.target)
	if err != nil || status.Installed {
		l.Errorf("Status = %v, %v; want nothing installed", status, err)
	}
}

// gone checks that nothing with our label is left.
func (l *life) gone() {
	l.Helper()
	_, lists, err := l.kube.Discovery().ServerGroupsAndResources()
	if err != nil {
		l.Fatal(err)
	}
	for _, list := range lists {
		gv, err := schema.ParseGroupVersion(list.GroupVersion)
		if err != nil {
			l.Fatal(err)
		}
		for _, r := range list.APIResources {
			if strings.Contains(r.Name, "/") || !slices.Contains(r.Verbs, "list") {
				continue
			}
			found, err := l.dynamic.Resource(gv.WithResource(r.Name)).List(l.ctx, metav1.ListOptions{LabelSelector: "applyset.kubernetes.io/part-of=" + l.id()})
			if err != nil && !apierrors.IsNotFound(err) && !apierrors.IsMethodNotSupported(err) {
				l.Errorf("%s: %v", r.Name, err)
				continue
			}
			if found == nil {
				continue
			}
			for _, o := range found.Items {
				if o.GetName() == "life-app" {
					continue // it is kept, for the stranger in it
				}
				l.Errorf("%s %s/%s is left", o.GetKind(), o.GetNamespace(), o.GetName())
			}
		}
	}
}

package browsertests

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"

	"github.com/strata-go/strata/layer"
	"github.com/strata-go/strata/profile"
	"github.com/strata-go/strata/reconcile"
	"github.com/strata-go/strata/reconcile/reconciletest"
	"github.com/strata-go/strata/reconcile/statuspage"
	"github.com/strata-go/strata/registry/registrytest"
)

const (
	deniesAll = `
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: deny-all, namespace: default}
spec: {podSelector: {}, policyTypes: [Ingress]}
`
	fast = `
apiVersion: storage.k8s.io/v1
kind: StorageClass
metadata: {name: fast}
provisioner: example.com/fast
`
	settings = `
apiVersion: v1
kind: ConfigMap
metadata: {name: settings, namespace: default}
data: {colour: green}
`
)

// chart returns a version of a chart with a Deployment.
func chart(version string) fstest.MapFS {
	return fstest.MapFS{
		"Chart.yaml": {Data: []byte("apiVersion: v2\nname: web\nversion: " + version + "\n")},
		"templates/web.yaml": {Data: []byte(`apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: web, image: "example.com/web:{{ .Chart.Version }}"}]}
`)},
	}
}

// stack returns a state with a layer of each kind, one of which is a chart that
// there is a newer version of.
func stack(t *testing.T, server *registrytest.Server) *profile.Desired {
	t.Helper()
	for _, version := range []string{"1.4.2", "1.5.0"} {
		if _, err := server.Client().PushChart(t.Context(), server.URL, chart(version)); err != nil {
			t.Fatal(err)
		}
	}
	of := func(name string, kind layer.Kind, content string) layer.Layer {
		return layer.Layer{Name: name, Kind: kind, Source: layer.Source{Manifests: &layer.Manifests{Inline: []layer.Manifest{{Name: name, Content: content}}}}}
	}
	report := of("settings", layer.AddOn, settings)
	report.Drift.Mode = layer.DriftReport
	web := layer.Layer{Name: "web", Namespace: "default", Source: layer.Source{Helm: &layer.Helm{Registry: server.URL, Chart: "web", Version: "1.4.2"}}}
	d, err := profile.Resolve(t.Context(), server.Client(), nil,
		&profile.Profile{Name: "base", Version: "2.1.0", Type: profile.Infrastructure, Layers: []layer.Layer{
			of("ubuntu", layer.OS, strings.ReplaceAll(settings, "settings", "ubuntu")), of("kubernetes", layer.Kubernetes, strings.ReplaceAll(settings, "settings", "kubernetes")),
			of("policies", layer.Network, deniesAll), of("fast-disks", layer.Storage, fast),
		}},
		&profile.Profile{Name: "shop", Version: "1.4.2", Type: profile.AddOn, Layers: []layer.Layer{web, report}})
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// A page shows what there is, and then, without being loaded again, what happens.
func TestStatusPage(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	b := newBrowser(ctx, t)
	var cluster reconciletest.Simulation
	cluster.Behave(reconciletest.Behavior{Kind: "Deployment"})
	server := registrytest.New(t)
	target := reconcile.Target{Config: cluster.Config(), Cluster: "production"}
	page := &statuspage.Handler{
		Title: "Shop clusters", MinAge: 100 * time.Millisecond, Lister: server.Client(),
	}
	page.Show(target, reconcile.Target{Config: cluster.Config(), Cluster: "staging", Name: "staging"})
	mux := http.NewServeMux()
	mux.Handle("/status/", http.StripPrefix("/status", page))
	site := httptest.NewUnstartedServer(mux)
	site.Config.BaseContext = func(net.Listener) context.Context { return ctx }
	site.Start()
	defer site.Close()
	defer cancel() // ends the streams of events

	get(b, chromedp.EmulateViewport(1440, 1000))
	get(b, chromedp.Navigate(site.URL+"/status/"))
	b.waitFor(`document.getElementById("live").textContent === "live"`)
	b.wants("Shop clusters", "production", "staging", "Not installed")
	kept, desired := make(chan error, 1), stack(t, server)
	watching, end := context.WithCancel(ctx)
	engine := &reconcile.Reconciler{Fetcher: server.Client(), OnEvent: page.OnEvent}
	go func() { kept <- engine.Watch(watching, target, desired) }()
	defer func() { end(); <-kept }()
	b.waitFor(`document.querySelector('[data-state="target-1"]').dataset.health === "Ready" && document.getElementById("summary").textContent === "1 Not installed · 1 Ready"`)
	b.wants("6 of 6", "base@2.1.0", "layer ready")
	b.screenshot("targets")
	get(b, chromedp.Navigate(site.URL+"/status/?target=production"))
	b.waitFor(`document.querySelectorAll(".layers .health .badge.Ready").length === 6 && document.getElementById("live").textContent === "live"`)
	get(b, chromedp.Evaluate[string](`window.loaded = "once"`))
	get(b, chromedp.Evaluate[bool](`(() => { const d = document.getElementById("target-1-web"); d.open = true; d.querySelector("summary").focus(); return true })()`))
	b.wants("policies", "fast-disks", "web", "settings", "base@2.1.0", "shop@1.4.2", "Ready", "layer ready", "helm web", "1.4.2", "1.5.0 is available", "default/web: chart web 1.4.2, revision 1", "WaitingForOtherLayers False")
	b.screenshot("ready")

	edit(ctx, t, &cluster)
	b.waitFor(`document.querySelector('[data-state="target-1"]').dataset.health === "Drifted"`)
	b.waitFor(`document.getElementById("target-1-web").open && document.activeElement.parentElement.id === "target-1-web"`)
	b.waitFor(`document.querySelector("#target-1-drift") !== null`)
	b.wants("Drift: what others changed", ".data.colour", `"green"`, `"red"`, "kubectl-edit", "it stays so", "object drifted")
	b.screenshot("drifted")
	call(b, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: "dark"}}})
	b.screenshot("dark")
	get(b, chromedp.EmulateViewport(390, 844))
	call(b, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{})
	b.screenshot("narrow")

	if got := get(b, chromedp.Evaluate[string](`String(window.loaded)`)); got != "once" {
		t.Error("the page was loaded again")
	}
	if get(b, chromedp.Evaluate[bool](`document.documentElement.scrollWidth > innerWidth`)) {
		t.Error("the page is wider than a narrow screen")
	}
	page.Show(target)
	b.waitFor(`window.loaded === undefined && document.getElementById("live")?.textContent === "live"`)
	if said := b.said(); len(said) > 0 {
		t.Errorf("the browser complains: %q", said)
	}
}

// edit changes the settings as somebody else.
func edit(ctx context.Context, t *testing.T, cluster *reconciletest.Simulation) {
	t.Helper()
	client, err := kubernetes.NewForConfig(cluster.Config())
	if err != nil {
		t.Fatal(err)
	}
	_, err = client.CoreV1().ConfigMaps("default").Patch(ctx, "settings", types.MergePatchType, []byte(`{"data":{"colour":"red"}}`), metav1.PatchOptions{FieldManager: "kubectl-edit"})
	if err != nil {
		t.Fatal(err)
	}
}

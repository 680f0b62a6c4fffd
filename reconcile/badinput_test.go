package reconcile_test

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"

	"github.com/strata-go/strata/layer"
	"github.com/strata-go/strata/profile"
	"github.com/strata-go/strata/reconcile"
)

// manifests returns the desired state of one layer of plain manifests.
func manifests(t *testing.T, content string) *profile.Desired {
	t.Helper()
	return desiredOf(t, layer.Layer{Name: "plain", Source: layer.Source{Manifests: &layer.Manifests{Inline: []layer.Manifest{{Name: "objects", Content: content}}}}})
}

// desiredOf returns the desired state of an add-on profile with the layers.
func desiredOf(t *testing.T, layers ...layer.Layer) *profile.Desired {
	t.Helper()
	d, err := profile.Resolve(t.Context(), nil, nil, &profile.Profile{Name: "bad", Version: "1.0.0", Type: profile.AddOn, Layers: layers})
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// wroteNothing checks that the cluster was not changed and holds no inventory.
func (l *life) wroteNothing() {
	l.Helper()
	if _, writes := l.rec.take(); len(writes) > 0 {
		l.Errorf("something was written: %v", writes)
	}
	if status, err := l.engine.Status(l.ctx, l.target); err == nil && status.Installed {
		l.Errorf("there is an installation:\n%s", status)
	}
}

func TestE2EBadManifests(t *testing.T) {
	needsControlPlane(t)
	for i, tt := range []struct {
		name, content string
		check         func(t *testing.T, err error)
		want          []string
	}{
		{"unknown kind", "apiVersion: apps/v1\nkind: Deploymnet\nmetadata: {name: a}\n", func(t *testing.T, err error) {
			if e := asError[*reconcile.NoKindError](t, err); e.Object.Kind != "Deploymnet" {
				t.Errorf("the error is about %v", e.Object)
			}
		}, []string{`layer "plain"`, "objects:1", "Deploymnet", `did you mean "Deployment"?`}},
		{"unknown group", "apiVersion: example.com/v1\nkind: Thing\nmetadata: {name: a}\n", func(t *testing.T, err error) {
			asError[*reconcile.NoKindError](t, err)
		}, []string{"the cluster has no kind Thing in example.com/v1"}},
		{"version that is not served", "apiVersion: apps/v1beta1\nkind: Deployment\nmetadata: {name: a}\n", func(t *testing.T, err error) {
			asError[*reconcile.NoKindError](t, err)
		}, []string{"no kind Deployment in apps/v1beta1 (it has apps/v1)"}},
		{"no name", "apiVersion: v1\nkind: ConfigMap\n", nil, []string{"metadata.name", "objects"}},
		{"no YAML", "a: [", nil, []string{"objects:1"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			l := newLife(t, fmt.Sprintf("bad-%d", i))
			result, err := l.engine.Reconcile(l.ctx, l.target, manifests(t, tt.content))
			if err == nil || result == nil || result.Ready {
				t.Fatalf("Reconcile = %+v, %v; want an error and a result", result, err)
			}
			if !errors.Is(err, reconcile.ErrTerminal) {
				t.Errorf("the error is not terminal: %v", err)
			}
			if tt.check != nil {
				tt.check(t, err)
			}
			for _, want := range tt.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("error = %v\nwithout %q", err, want)
				}
			}
			l.wroteNothing()
		})
	}
}

// A chart and a manifest hold the same object, which is seen once the chart is
// rendered.
func TestE2EDuplicateObject(t *testing.T) {
	l := newLife(t, "twice")
	client := l.server.Client()
	if _, err := client.PushChart(l.ctx, l.server.URL, webChart("1.0.0", "hello")); err != nil {
		t.Fatal(err)
	}
	p := &profile.Profile{Name: "twice", Version: "1.0.0", Type: profile.AddOn, Layers: []layer.Layer{
		{Name: "web", Source: layer.Source{Helm: &layer.Helm{Chart: "web"}}},
		plain("more", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: web, namespace: default}\n"),
	}}
	d, err := profile.Resolve(l.ctx, client, nil, p)
	if err != nil {
		t.Fatal(err)
	}
	_, err = l.engine.Reconcile(l.ctx, l.target, d)
	twice := asError[*reconcile.DuplicateError](t, err)
	if twice.Object.Name != "web" || !strings.Contains(err.Error(), "objects:1") || !strings.Contains(err.Error(), "web/templates/config.yaml") || !errors.Is(err, reconcile.ErrTerminal) {
		t.Errorf("error = %v, want both places", err)
	}
	l.wroteNothing()
}

// An object that is valid YAML and that the API server refuses.
func TestE2ERefusedObject(t *testing.T) {
	l := newLife(t, "refused")
	for spec, field := range map[string]string{"{ports: [{port: 99999}]}": "spec.ports[0].port", "{prots: [{port: 80}]}": ".spec.prots", "{ports: [{port: eighty}]}": ".port"} {
		_, err := l.engine.Converge(l.ctx, l.target, manifests(t, "apiVersion: v1\nkind: Service\nmetadata: {name: refused}\nspec: "+spec+"\n"))
		e := asError[*reconcile.SourceError](t, err)
		if e.Source != "objects:1" || !errors.Is(err, reconcile.ErrTerminal) || !strings.Contains(err.Error(), field) {
			t.Errorf("error = %v, want the place in the manifest and the field", err)
		}
	}
	if _, err := l.engine.DeleteAndWait(l.ctx, l.target); err != nil {
		t.Error(err)
	}
}

func TestE2EExistingObject(t *testing.T) {
	l := newLife(t, "existing")
	mine := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "existing"}, Data: map[string]string{"a": "theirs", "b": "theirs"}}
	if _, err := l.kube.CoreV1().ConfigMaps("default").Create(l.ctx, mine, metav1.CreateOptions{FieldManager: "somebody"}); err != nil {
		t.Fatal(err)
	}
	d := manifests(t, "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: existing}\ndata: {c: ours}\n")
	_, err := l.engine.Reconcile(l.ctx, l.target, d)
	if e := asError[*reconcile.ExistsError](t, err); !strings.Contains(e.Owner, `"somebody"`) {
		t.Errorf("the owner is %s", e.Owner)
	}
	l.wroteNothing()

	l.engine.Adopt = layer.AdoptIfUnowned
	l.converge(d)
	cm, err := l.kube.CoreV1().ConfigMaps("default").Get(l.ctx, "existing", metav1.GetOptions{})
	if err != nil || fmt.Sprint(cm.Data) != "map[a:theirs b:theirs c:ours]" {
		t.Errorf("the adopted object has %v, %v", cm.Data, err)
	}
	_, err = l.engine.Reconcile(l.ctx, l.target, manifests(t, "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: existing}\ndata: {a: ours}\n"))
	if e := asError[*reconcile.ConflictError](t, err); len(e.Fields) != 1 || e.Fields[0].Field != ".data.a" || e.Fields[0].Manager != "somebody" {
		t.Errorf("the conflict is %+v", e)
	}
	other := l.target
	other.Name = "existing-other"
	if _, err = l.engine.Reconcile(l.ctx, other, d); !strings.Contains(asError[*reconcile.ExistsError](t, err).Owner, fmt.Sprintf("the installation %q", l.target.Name)) {
		t.Errorf("another installation gets %v", err)
	}
}

func TestE2ERegistryErrors(t *testing.T) {
	needsControlPlane(t)
	l := newLife(t, "registry")
	push(t, l.server)
	s := stack(t, "registry")

	none := stack(t, "registry", "chart: web, version: ~1.0", "chart: web, version: ^7")
	_, err := none.Resolve(l.ctx, l.server.Client(), nil)
	if !errors.Is(err, layer.ErrNoVersion) || !strings.Contains(err.Error(), `layer "web"`) || !strings.Contains(err.Error(), "1.1.0") {
		t.Errorf("a constraint that nothing satisfies gives %v, want the versions that exist", err)
	}

	desired := resolve(t, l.server, s)
	l.server.Intercept(func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if strings.Contains(r.URL.Path, "/blobs/") && r.Method == http.MethodGet {
				_, _ = w.Write([]byte("something else"))
				return
			}
			next.ServeHTTP(w, r)
		})
	})
	l.engine.Fetcher = l.server.Client() // with an empty cache
	_, err = l.engine.Reconcile(l.ctx, l.target, desired)
	if !errors.Is(err, layer.ErrDigest) {
		t.Errorf("content that does not match gives %v", err)
	}
	l.wroteNothing()
	l.server.Intercept(nil)

	client := l.server.Client()
	client.PlainHTTP = append(client.PlainHTTP, "127.0.0.1:1")
	down := stack(t, "registry", "{chart: web,", "{registry: 'oci://127.0.0.1:1/x', chart: web,")
	_, err = down.Resolve(l.ctx, client, nil)
	if !errors.Is(err, layer.ErrUnavailable) || !strings.Contains(err.Error(), "127.0.0.1:1") {
		t.Errorf("a registry that is down gives %v", err)
	}
	l.wroteNothing()
}

func TestE2EBadKubeconfig(t *testing.T) {
	needsControlPlane(t)
	d := manifests(t, "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n")
	down := &rest.Config{Host: "https://127.0.0.1:1"}
	stranger := rest.CopyConfig(shared.Config)
	stranger.CertData, stranger.KeyData, stranger.BearerToken = nil, nil, "nobody"
	untrusted := rest.CopyConfig(shared.Config)
	untrusted.CAData = nil
	for name, config := range map[string]*rest.Config{"no server": down, "unknown user": stranger, "unknown authority": untrusted} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			start := time.Now()
			result, err := new(reconcile.Reconciler).Converge(t.Context(), reconcile.Target{Config: config, Name: "kubeconfig"}, d)
			if !errors.Is(err, reconcile.ErrUnreachable) || !strings.Contains(err.Error(), config.Host) || result.Ready {
				t.Errorf("Converge = %+v, %v after %s; want ErrUnreachable with the host", result, err, time.Since(start))
			}
		})
	}
	if _, err := reconcile.Reconcile(t.Context(), reconcile.Target{}, d); !errors.Is(err, reconcile.ErrTerminal) || !strings.Contains(err.Error(), "Config is nil") {
		t.Errorf("a target without a configuration gives %v", err)
	}
}

// A failure that waiting does not cure ends the wait.
func TestE2EFailedJob(t *testing.T) {
	l := newLife(t, "failed")
	_, err := l.engine.Converge(l.ctx, l.target, manifests(t, `
apiVersion: batch/v1
kind: Job
metadata: {name: failed}
spec:
  backoffLimit: 0
  template:
    metadata: {annotations: {strata.dev/test-fail: "true"}}
    spec:
      restartPolicy: Never
      containers: [{name: main, image: registry.k8s.io/pause:3.10}]
`))
	if e := asError[*reconcile.FailedError](t, err); e.Object.Name != "failed" || !errors.Is(err, reconcile.ErrTerminal) {
		t.Errorf("error = %v", err)
	}
	if _, err := l.engine.DeleteAndWait(l.ctx, l.target); err != nil {
		t.Error(err)
	}
}

// What does not go together, or not from here, is found before anything is written.
func TestE2EConstraints(t *testing.T) {
	l := newLife(t, "rules")
	client := l.server.Client()
	pack := func(version, constraints string) {
		t.Helper()
		text := fmt.Sprintf(`{"name": "needy", "displayName": "Needy", "version": %q, "layer": "addon", "cloudTypes": ["all"], "constraints": {"dependencies": [%s]}}`, version, constraints)
		if _, err := client.PushPack(l.ctx, l.server.URL, files("pack.json", text, "values.yaml", "")); err != nil {
			t.Fatal(err)
		}
	}
	pack("1.0.0", "")
	pack("2.0.0", `{"packName": "missing", "layer": "addon", "type": "required"}`)
	desired := func(version string) *profile.Desired {
		t.Helper()
		one := layer.Layer{Name: "needy", Source: layer.Source{Pack: &layer.Pack{Name: "needy", Version: version}}}
		d, err := profile.Resolve(l.ctx, client, nil, &profile.Profile{Name: "rules", Version: "1.0.0", Type: profile.AddOn, Layers: []layer.Layer{one, plain("cm", configMapsIn("default", "rules"))}})
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	_, err := l.engine.Reconcile(l.ctx, l.target, desired("2.0.0"))
	if e := asError[*profile.ConstraintError](t, err); e.Rule != profile.RuleRequired || e.Layer != "needy" || !errors.Is(err, reconcile.ErrTerminal) {
		t.Errorf("error = %v, want the pack that is required", err)
	}
	l.wroteNothing()
	l.converge(desired("1.0.0"))
	l.removes()
}

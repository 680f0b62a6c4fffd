package reconcile_test

import (
	"context"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"

	"github.com/strata-go/strata/layer"
	"github.com/strata-go/strata/profile"
	"github.com/strata-go/strata/reconcile"
)

// impureChart makes passwords and certificates, and says the time.
const impureSecret = `
{{- $ca := genCA "ca" 365 }}
{{- $cert := genSignedCert "web" (list "10.0.0.1") (list "web") 365 $ca }}
apiVersion: v1
kind: Secret
metadata: {name: made}
stringData:
  password: {{ randAlphaNum 24 }}
  other: {{ randAlphaNum 24 }}
  htpasswd: {{ htpasswd "admin" (randAlphaNum 12) | quote }}
  ca.crt: {{ $ca.Cert | quote }}
  tls.crt: {{ $cert.Cert | quote }}
  tls.key: {{ $cert.Key | quote }}
`

const impureMap = `
apiVersion: v1
kind: ConfigMap
metadata:
  name: made
  annotations: {checksum: {{ include (print $.Template.BasePath "/secret.yaml") . | sha256sum }}}
data:
  at: {{ now | date "2006-01-02T15:04:05.000000" | quote }}
  id: {{ uuidv4 }}
  shown: {{ randAlphaNum 16 }}
  text: {{ .Values.text }}
  lookup: {{ lookup "v1" "ConfigMap" .Release.Namespace "mine" | dig "data" "a" "none" }}
`

func (l *life) pushChart(version string, templates ...string) {
	l.Helper()
	all := append([]string{"Chart.yaml", "apiVersion: v2\nname: impure\nversion: " + version + "\n", "values.yaml", "text: first\n"}, templates...)
	if _, err := l.server.Client().PushChart(l.ctx, l.server.URL, files(all...)); err != nil {
		l.Fatal(err)
	}
}

func (l *life) impure(version, values string) *profile.Desired {
	l.Helper()
	d, err := profile.Resolve(l.ctx, l.server.Client(), nil, &profile.Profile{Name: "impure", Version: "1.0.0", Type: profile.AddOn, Layers: []layer.Layer{
		{Name: "impure", Namespace: l.target.Name, Values: values, Source: layer.Source{Helm: &layer.Helm{Chart: "impure", Version: version}}},
	}})
	if err != nil {
		l.Fatal(err)
	}
	return d
}

func (l *life) secret(name string) map[string][]byte {
	l.Helper()
	s, err := l.kube.CoreV1().Secrets(l.target.Name).Get(l.ctx, name, metav1.GetOptions{})
	if err != nil {
		l.Fatal(err)
	}
	return s.Data
}

func (l *life) configMap(name string) *corev1.ConfigMap {
	l.Helper()
	m, err := l.kube.CoreV1().ConfigMaps(l.target.Name).Get(l.ctx, name, metav1.GetOptions{})
	if err != nil {
		l.Fatal(err)
	}
	return m
}

func TestE2EImpureTemplates(t *testing.T) {
	l := newLife(t, "impure")
	l.pushChart("1.0.0", "templates/secret.yaml", impureSecret, "templates/a.yaml", impureMap)
	l.pushChart("2.0.0", "templates/secret.yaml", impureSecret+"  more: {{ randAlphaNum 20 }}\n", "templates/a.yaml", impureMap)
	first := l.impure("1.0.0", "")
	l.converge(first)
	secret, shown := l.secret("made"), l.configMap("made")
	if len(secret["password"]) != 24 || string(secret["password"]) == string(secret["other"]) {
		t.Fatalf("passwords are %q and %q", secret["password"], secret["other"])
	}
	verifies(t, secret["ca.crt"], secret["tls.crt"])

	l.rec.take()
	for range 50 { // each as a new process would
		l.engine = &reconcile.Reconciler{Fetcher: l.server.Client()}
		l.converge(first)
	}
	if _, writes := l.rec.take(); len(writes) > 0 {
		t.Errorf("reconciling again writes %v", writes)
	}

	// Somebody deletes the Secret: it comes back as it was.
	if err := l.kube.CoreV1().Secrets(l.target.Name).Delete(l.ctx, "made", metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	l.converge(first)
	same(t, l.secret("made"), secret)

	// An upgrade of the chart and of its values keeps what was made.
	upgraded := l.impure("2.0.0", "text: second\n")
	plan, err := l.engine.Plan(l.ctx, l.target, upgraded)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := l.engine.Apply(l.ctx, l.target, plan); err != nil {
		t.Fatal(err)
	}
	l.converge(upgraded)
	after, more := l.configMap("made"), l.secret("made")
	if len(more["more"]) != 20 || after.Data["text"] != "second" {
		t.Errorf("the upgrade gives %q and %q", more["more"], after.Data["text"])
	}
	delete(more, "more")
	same(t, more, secret)
	for _, key := range []string{"at", "id", "shown"} {
		if after.Data[key] != shown.Data[key] {
			t.Errorf("%s was %s and is %s", key, shown.Data[key], after.Data[key])
		}
	}
	if after.Annotations["checksum"] == shown.Annotations["checksum"] {
		t.Error("the checksum of another Secret is the same")
	}
	status, err := l.engine.Status(l.ctx, l.target)
	if err != nil || status.Layers[0].Replayed == 0 {
		t.Errorf("Status shows no replayed values: %v", err)
	}
}

func same(t *testing.T, got, want map[string][]byte) {
	t.Helper()
	for key := range want {
		if string(got[key]) != string(want[key]) {
			t.Errorf("%s is another one", key)
		}
	}
	if len(got) != len(want) {
		t.Errorf("%d keys, want %d", len(got), len(want))
	}
}

// verifies checks that one certificate is signed by another.
func verifies(t *testing.T, ca, cert []byte) {
	t.Helper()
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(ca)
	block, _ := pem.Decode(cert)
	parsed, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := parsed.Verify(x509.VerifyOptions{Roots: roots}); err != nil {
		t.Error(err)
	}
}

// What an approved plan has made is what is applied, and plans do not show it.
func TestE2EPlanOfImpureTemplates(t *testing.T) {
	l := newLife(t, "impureplan")
	l.pushChart("1.0.0", "templates/a.yaml", impureMap, "templates/secret.yaml", impureSecret)
	l.converge(l.impure("1.0.0", ""))
	l.pushChart("2.0.0", "templates/a.yaml", impureMap+"  fresh: {{ randAlphaNum 30 }}\n", "templates/secret.yaml", impureSecret)
	plan, err := l.engine.Plan(l.ctx, l.target, l.impure("2.0.0", ""))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := l.engine.Apply(l.ctx, l.target, plan); err != nil {
		t.Fatal(err)
	}
	fresh := l.configMap("made").Data["fresh"]
	if len(fresh) != 30 {
		t.Fatalf("fresh is %q", fresh)
	}
	for _, shown := range []string{plan.String(), plan.Markdown(), fmt.Sprintf("%+v", plan.Steps)} {
		if strings.Contains(shown, fresh) {
			t.Errorf("the plan shows a random value: %s", shown)
		}
	}
}

// The pattern by which charts keep their passwords by themselves.
const lookupSecret = `
{{- $old := lookup "v1" "Secret" .Release.Namespace "found" }}
apiVersion: v1
kind: Secret
metadata: {name: found, annotations: {text: {{ .Values.text }}}}
data:
  {{- if $old }}
  password: {{ $old.data.password }}
  {{- else }}
  password: {{ randAlphaNum 24 | b64enc }}
  {{- end }}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: seen}
data: {mine: {{ dig "data" "a" "none" (lookup "v1" "ConfigMap" .Release.Namespace "mine") }}}
`

func TestE2ELookup(t *testing.T) {
	l := newLife(t, "lookup")
	l.pushChart("1.0.0", "templates/secret.yaml", lookupSecret)
	first := l.impure("1.0.0", "")
	l.converge(first)
	password := l.secret("found")
	mine := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "mine"}, Data: map[string]string{"a": "here"}}
	if _, err := l.kube.CoreV1().ConfigMaps(l.target.Name).Create(l.ctx, mine, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	l.rec.take()
	l.converge(first)
	if _, writes := l.rec.take(); len(writes) > 0 {
		t.Errorf("reconciling again writes %v", writes)
	}
	if err := l.kube.CoreV1().Secrets(l.target.Name).Delete(l.ctx, "found", metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	l.converge(first)
	same(t, l.secret("found"), password)
	if seen := l.configMap("seen").Data["mine"]; seen != "none" {
		t.Errorf("the same state is rendered to %q", seen)
	}
	l.converge(l.impure("1.0.0", "text: second\n"))
	same(t, l.secret("found"), password)
	if seen := l.configMap("seen").Data["mine"]; seen != "here" {
		t.Errorf("another state looks up %q", seen)
	}
}

func TestE2ELookupForbidden(t *testing.T) {
	l := newLife(t, "forbidden")
	l.pushChart("1.0.0", "templates/secret.yaml", lookupSecret)
	binding := &rbacv1.ClusterRoleBinding{
		ObjectMeta: metav1.ObjectMeta{Name: "forbidden"}, RoleRef: rbacv1.RoleRef{Kind: "ClusterRole", Name: "view"},
		Subjects: []rbacv1.Subject{{Kind: "User", Name: "viewer"}},
	}
	if _, err := l.kube.RbacV1().ClusterRoleBindings().Create(l.ctx, binding, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	l.engine.Store = new(reconcile.MemoryStore)
	l.target.Config = rest.CopyConfig(l.target.Config)
	l.target.Config.Impersonate = rest.ImpersonationConfig{UserName: "viewer", Groups: []string{"system:authenticated"}}
	_, err := l.engine.Plan(l.ctx, l.target, l.impure("1.0.0", ""))
	e := asError[*reconcile.LookupError](t, err)
	if e.Kind != "Secret" || e.Name != "found" || !apierrors.IsForbidden(err) || !errors.Is(err, reconcile.ErrTerminal) {
		t.Errorf("got %v", err)
	}
	for _, part := range []string{`layer "impure"`, "impure/templates/secret.yaml:2"} {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("%v does not say %s", err, part)
		}
	}
}

// A chart is rendered again when the kinds come or go that it asks for, and
// only then.
func TestE2ECapabilities(t *testing.T) {
	l := newLife(t, "caps")
	l.pushChart("1.0.0", "templates/a.yaml", `
apiVersion: v1
kind: ConfigMap
metadata: {name: asks}
data: {has: {{ .Capabilities.APIVersions.Has "caps.example.com/v1/Widget" | quote }}}
`)
	d := l.impure("1.0.0", "")
	l.converge(d)
	if has := l.configMap("asks").Data["has"]; has != "false" {
		t.Fatalf("has is %s", has)
	}
	other := reconcile.Target{Config: l.target.Config, Name: "capscrd", Namespace: "strata-capscrd"}
	crd, err := profile.Resolve(l.ctx, nil, nil, &profile.Profile{Name: "crd", Version: "1.0.0", Type: profile.AddOn, Layers: []layer.Layer{plain("crd", widget)}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := l.engine.Converge(l.ctx, other, crd); err != nil {
		t.Fatal(err)
	}
	l.converge(d)
	if has := l.configMap("asks").Data["has"]; has != "true" {
		t.Errorf("after the kind came, has is %s", has)
	}
}

const widget = `
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: widgets.caps.example.com}
spec:
  group: caps.example.com
  scope: Namespaced
  names: {plural: widgets, singular: widget, kind: Widget, listKind: WidgetList}
  versions: [{name: v1, served: true, storage: true, schema: {openAPIV3Schema: {type: object}}}]
`

// Wherever a process dies, the password that it applied is the one that stays.
func TestE2EPasswordsSurviveDeath(t *testing.T) {
	l := newLife(t, "death")
	l.pushChart("1.0.0", "templates/secret.yaml", "apiVersion: v1\nkind: Secret\nmetadata: {name: made}\nstringData: {password: {{ randAlphaNum 24 }}}\n")
	d := l.impure("1.0.0", "")
	var first []byte
	for requests := int64(4); requests < 40; requests++ {
		ctx, cancel := context.WithCancel(l.ctx)
		var sent atomic.Int64
		target := l.target
		target.Config = rest.CopyConfig(l.target.Config)
		target.Config.Wrap(func(next http.RoundTripper) http.RoundTripper {
			return roundTripper(func(r *http.Request) (*http.Response, error) {
				if sent.Add(1) > requests {
					cancel()
					return nil, context.Canceled
				}
				return next.RoundTrip(r)
			})
		})
		engine := &reconcile.Reconciler{Fetcher: l.server.Client(), Identity: "death"}
		result, _ := engine.Reconcile(ctx, target, d)
		cancel()
		made, err := l.kube.CoreV1().Secrets("death").Get(l.ctx, "made", metav1.GetOptions{})
		switch {
		case err == nil && first == nil:
			first = made.Data["password"]
		case err == nil && string(first) != string(made.Data["password"]):
			t.Fatalf("after %d requests there is another password", requests)
		}
		if result.Ready {
			break
		}
	}
	if l.converge(d); len(first) != 24 || string(l.secret("made")["password"]) != string(first) {
		t.Errorf("the password was %q", first)
	}
}

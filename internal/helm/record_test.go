package helm_test

import (
	"errors"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/strata-go/strata/internal/helm"
	"helm.sh/helm/v3/pkg/release"
	"helm.sh/helm/v3/pkg/storage"
	"helm.sh/helm/v3/pkg/storage/driver"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes/fake"
)

var (
	first = time.Date(2026, 1, 2, 3, 4, 5, 6, time.UTC)
	last  = time.Date(2026, 2, 3, 4, 5, 6, 7, time.UTC)
)

// record is that of an upgrade of the chart web.
func record(t *testing.T) helm.Record {
	t.Helper()
	r := render(t, web, nil)
	return helm.Record{
		Name:          "r",
		Namespace:     "ns",
		Revision:      2,
		Status:        helm.StatusDeployed,
		Chart:         load(t, web),
		Values:        map[string]any{"replicas": 3.0, "big": 12345678901234567.0},
		Manifest:      r.Manifest,
		Hooks:         append(r.Hooks, r.Tests...),
		Notes:         r.Notes,
		Description:   "Upgrade complete",
		FirstDeployed: first,
		LastDeployed:  last,
	}
}

// Helm's own storage must read what we write.
func TestRecordIsReadByHelm(t *testing.T) {
	t.Parallel()
	want := record(t)
	old := want
	old.Revision, old.LastDeployed = 1, first
	clientset := fake.NewClientset(secretOf(t, want), superseded(t, old))
	secrets := clientset.CoreV1().Secrets("ns")
	store := storage.Init(driver.NewSecrets(secrets))

	rel, err := store.Deployed("r")
	if err != nil {
		t.Fatal(err)
	}
	got := []string{rel.Name, rel.Namespace, rel.Manifest, rel.Info.Notes, rel.Info.Description,
		string(rel.Info.Status), rel.Chart.Metadata.Name, rel.Chart.Metadata.Version}
	equal(t, "release", got, []string{"r", "ns", want.Manifest, want.Notes, "Upgrade complete", "deployed", "web", "1.2.3"})
	if rel.Version != 2 || !rel.Info.FirstDeployed.Time.Equal(first) || !rel.Info.LastDeployed.Time.Equal(last) {
		t.Errorf("revision %d of %v and %v", rel.Version, rel.Info.FirstDeployed, rel.Info.LastDeployed)
	}
	if !reflect.DeepEqual(rel.Config, want.Values) {
		t.Errorf("values are %v", rel.Config)
	}
	if len(rel.Chart.Templates) > 0 || len(rel.Chart.Files) > 0 {
		t.Error("the record holds the files of the chart")
	}
	if len(rel.Hooks) != 2 || rel.Hooks[0].Name != "migrate" || rel.Hooks[0].Weight != -5 ||
		!slices.Equal(rel.Hooks[0].Events, []release.HookEvent{release.HookPreInstall, release.HookPreUpgrade}) {
		t.Errorf("hooks are %+v", rel.Hooks)
	}
	history, err := store.History("r")
	if err != nil || len(history) != 2 {
		t.Fatalf("history is %v, %v", history, err)
	}
	for _, h := range history {
		if h.Version == 1 && h.Info.Status != release.StatusSuperseded {
			t.Errorf("revision 1 is %s", h.Info.Status)
		}
	}
}

// What Helm's storage writes for the same release is what we write.
func TestRecordIsAsHelmWritesIt(t *testing.T) {
	t.Parallel()
	ours := secretOf(t, record(t))
	clientset := fake.NewClientset(ours.DeepCopy())
	secrets := clientset.CoreV1().Secrets("ns")
	store := storage.Init(driver.NewSecrets(secrets))
	rel, err := store.Get("r", 2)
	if err != nil {
		t.Fatal(err)
	}
	if err := store.Update(rel); err != nil {
		t.Fatal(err)
	}
	theirs, err := secrets.Get(t.Context(), ours.Name, metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if theirs.Type != ours.Type || !slices.Equal(slices.Sorted(maps.Keys(theirs.Labels)), slices.Sorted(maps.Keys(ours.Labels))) {
		t.Errorf("type %s with labels %v, Helm writes type %s with %v", ours.Type, ours.Labels, theirs.Type, theirs.Labels)
	}
	if string(theirs.Data["release"]) != string(ours.Data["release"]) {
		t.Error("the data differs")
	}
}

func TestReadRecord(t *testing.T) {
	t.Parallel()
	want := record(t)
	secret := write(t, want)
	got, err := helm.ReadRecord(secret)
	if err != nil {
		t.Fatal(err)
	}
	if got.Chart.Name() != "web" || got.Chart.Version() != "1.2.3" {
		t.Errorf("chart is %s %s", got.Chart.Name(), got.Chart.Version())
	}
	if len(got.Hooks) != 2 || got.Hooks[0].Object.Key() != want.Hooks[0].Object.Key() {
		t.Errorf("hooks are %v", got.Hooks)
	}
	// A record keeps no line and no file of the chart.
	got.Chart = want.Chart
	for i := range got.Hooks {
		got.Hooks[i].Object = want.Hooks[i].Object
	}
	if !reflect.DeepEqual(*got, want) {
		t.Errorf("\n got %+v\nwant %+v", *got, want)
	}
	if again := write(t, want); !reflect.DeepEqual(again, secret) {
		t.Error("the same record gives another Secret")
	}
}

// Records of Helm hold more than ours, and hooks that have no name.
func TestSetStatusOfHelmsRecord(t *testing.T) {
	t.Parallel()
	clientset := fake.NewClientset(secretOf(t, record(t)))
	store := storage.Init(driver.NewSecrets(clientset.CoreV1().Secrets("ns")))
	rel, err := store.Get("r", 2)
	if err != nil {
		t.Fatal(err)
	}
	rel.Chart.Schema = []byte("{}")
	rel.Config["big"] = 1e20
	rel.Hooks[0].Manifest = "kind: Job\nmetadata: {generateName: x-}\n"
	if err := store.Update(rel); err != nil {
		t.Fatal(err)
	}
	helms, err := clientset.CoreV1().Secrets("ns").Get(t.Context(), "sh.helm.release.v1.r.v2", metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	before := toUnstructured(t, helms)
	original := before.DeepCopy()

	after, err := helm.SetStatus(before, helm.StatusChange{Status: helm.StatusFailed, Description: "it broke", Time: last})
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(before, original) {
		t.Error("the given Secret was changed")
	}
	r, err := helm.ReadRecord(after)
	if err != nil {
		t.Fatal(err)
	}
	if r.Status != helm.StatusFailed || r.Description != "it broke" || r.Values["big"] != 1e20 || r.Hooks[0].Object.GetName() != "migrate" {
		t.Errorf("got %+v", r)
	}
	if labels := after.GetLabels(); labels["status"] != "failed" || labels["modifiedAt"] != "1770091506" || labels["owner"] != "helm" {
		t.Errorf("labels are %v", labels)
	}
	// All but the status and its description is as Helm wrote it.
	clientset = fake.NewClientset(toSecret(t, after))
	rel.Info.Status, rel.Info.Description, rel.Labels = release.StatusFailed, "it broke", nil
	got, err := storage.Init(driver.NewSecrets(clientset.CoreV1().Secrets("ns"))).Get("r", 2)
	if err != nil {
		t.Fatal(err)
	}
	got.Labels = nil
	if !reflect.DeepEqual(got, rel) {
		t.Errorf("\n got %+v\nwant %+v", got, rel)
	}
}

func TestRecordErrors(t *testing.T) {
	t.Parallel()
	good := write(t, record(t))
	change := func(path ...string) *unstructured.Unstructured {
		s := good.DeepCopy()
		if err := unstructured.SetNestedField(s.Object, path[0], path[1:]...); err != nil {
			t.Fatal(err)
		}
		return s
	}
	tests := map[string]struct {
		secret *unstructured.Unstructured
		want   string
	}{
		"another Secret": {change("Opaque", "type"), `is of type "Opaque"`},
		"no base64":      {change("%", "data", "release"), "illegal base64"},
		"no gzip":        {change("SDRzSUFBQUFBQUFB", "data", "release"), "EOF"},
		"no JSON":        {change("YUdWc2JHOD0=", "data", "release"), "reading JSON"},
		"no release":     {change("ZTMwPQ==", "data", "release"), "lacks its info"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, readErr := helm.ReadRecord(tt.secret)
			_, setErr := helm.SetStatus(tt.secret, helm.StatusChange{Status: helm.StatusFailed})
			for _, err := range []error{readErr, setErr} {
				var failure *helm.RecordError
				if !errors.As(err, &failure) || failure.Secret != good.GetName() || !strings.Contains(err.Error(), tt.want) {
					t.Errorf("got %v, want a RecordError with %q", err, tt.want)
				}
			}
		})
	}
}

func TestStatusPending(t *testing.T) {
	t.Parallel()
	for status, want := range map[helm.Status]bool{
		helm.StatusPendingInstall: true, helm.StatusPendingUpgrade: true, helm.StatusPendingRollback: true,
		helm.StatusDeployed: false, helm.StatusUninstalling: false,
	} {
		if status.Pending() != want {
			t.Errorf("Pending of %s is %v", status, !want)
		}
	}
}

func write(t *testing.T, r helm.Record) *unstructured.Unstructured {
	t.Helper()
	secret, err := r.Secret(last)
	if err != nil {
		t.Fatal(err)
	}
	return secret
}

func secretOf(t *testing.T, r helm.Record) *corev1.Secret {
	t.Helper()
	return toSecret(t, write(t, r))
}

func superseded(t *testing.T, r helm.Record) *corev1.Secret {
	t.Helper()
	changed, err := helm.SetStatus(write(t, r), helm.StatusChange{Status: helm.StatusSuperseded, Time: last})
	if err != nil {
		t.Fatal(err)
	}
	return toSecret(t, changed)
}

func toSecret(t *testing.T, u *unstructured.Unstructured) *corev1.Secret {
	t.Helper()
	secret := new(corev1.Secret)
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(u.Object, secret); err != nil {
		t.Fatal(err)
	}
	return secret
}

func toUnstructured(t *testing.T, secret *corev1.Secret) *unstructured.Unstructured {
	t.Helper()
	content, err := runtime.DefaultUnstructuredConverter.ToUnstructured(secret)
	if err != nil {
		t.Fatal(err)
	}
	return &unstructured.Unstructured{Object: content}
}

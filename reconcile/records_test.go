package reconcile_test

import (
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"strings"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/strata-go/strata/layer"
	"github.com/strata-go/strata/profile"
)

// released is the layer of a chart, as the release "app" in a namespace.
type released struct {
	*life
	chart layer.Layer
}

func newReleased(t *testing.T, name string, chart ...string) released {
	l := newLife(t, name)
	if _, err := l.server.Client().PushChart(l.ctx, l.server.URL, files(chart...)); err != nil {
		t.Fatal(err)
	}
	return released{l, layer.Layer{Name: "app", Namespace: name, Source: layer.Source{Helm: &layer.Helm{Chart: "released"}}}}
}

func (r released) desired(values string) *profile.Desired {
	r.Helper()
	one := r.chart
	one.Values = values
	d, err := profile.Resolve(r.ctx, r.server.Client(), nil, &profile.Profile{Name: "released", Version: "1.0.0", Type: profile.AddOn, Layers: []layer.Layer{one}})
	if err != nil {
		r.Fatal(err)
	}
	return d
}

// expects checks what helm history says: for each revision "number status: description".
func (r released) expects(when string, want ...string) {
	r.Helper()
	var got []string
	lines := strings.Split(strings.TrimSpace(r.helm("history", "app", "-n", r.chart.Namespace, "--max", "100")), "\n")
	for _, line := range lines[1:] {
		columns := strings.Split(line, "\t")
		got = append(got, fmt.Sprintf("%s %s: %s", strings.TrimSpace(columns[0]), strings.TrimSpace(columns[2]), strings.TrimSpace(columns[5])))
	}
	for i := range max(len(got), len(want)) {
		if i >= len(got) || i >= len(want) || !strings.HasPrefix(got[i], want[i]) {
			r.Fatalf("%s, helm history is\n\t%s\nwant\n\t%s", when, strings.Join(got, "\n\t"), strings.Join(want, "\n\t"))
		}
	}
}

// says checks the text in the config map of the release.
func (r released) says(want string) {
	r.Helper()
	m, err := r.kube.CoreV1().ConfigMaps(r.chart.Namespace).Get(r.ctx, "app", metav1.GetOptions{})
	if err != nil || m.Data["text"] != want {
		r.Errorf("the config map is %v, %v; want %q", m.Data, err, want)
	}
}

func recordsChart() []string {
	return []string{
		"Chart.yaml", "apiVersion: v2\nname: released\nversion: 1.0.0\n",
		"values.yaml", "fail: false\ntext: one\nslow: 0s\n",
		"templates/NOTES.txt", "It says {{ .Values.text }}.",
		"templates/config.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: {{ .Release.Name }}}\ndata: {text: {{ .Values.text }}}\n",
		"templates/before.yaml", hookFile("before", "pre-install,pre-upgrade", "0", ""),
	}
}

func TestE2ERecords(t *testing.T) {
	r := newReleased(t, "records", recordsChart()...)
	r.engine.HistoryLimit = 3
	if first, err := r.engine.Reconcile(r.ctx, r.target, r.desired("")); err != nil || first.Ready {
		t.Fatalf("the first pass returns %+v, %v; want it to wait for the hook", first, err)
	}
	r.expects("while it is being installed", "1 pending-install: Initial install underway")
	r.converge(r.desired(""))
	r.expects("after installing", "1 deployed: Install complete")

	broken := r.desired("{text: two, fail: true}")
	for range 2 {
		if _, err := r.engine.Converge(r.ctx, r.target, broken); err == nil {
			t.Fatal("a hook that fails is no error")
		}
		r.expects("after a failure", "1 deployed: Install complete", `2 failed: Upgrade "app" failed: `)
		r.says("one")
	}
	r.converge(r.desired("text: three"))
	r.expects("after the failure is mended", "1 superseded", "2 failed", "3 deployed: Upgrade complete")
	for args, want := range map[string]string{
		"get values app":   "text: three",
		"get manifest app": "text: three",
		"get notes app":    "It says three.",
		"get hooks app":    "name: app-before",
		"get all app":      "STATUS: deployed",
		"list":             "released-1.0.0",
	} {
		if got := r.helm(append(strings.Fields(args), "-n", "records")...); !strings.Contains(got, want) {
			t.Errorf("helm %s says\n%s\nwant %q", args, got, want)
		}
	}
}

// What Helm's own command does to a release of ours is seen, and followed by a
// higher revision or a new installation.
func TestE2EHelmChangesOurs(t *testing.T) {
	r := newReleased(t, "meddled", recordsChart()...)
	r.engine.HistoryLimit = 3
	r.converge(r.desired(""))
	r.converge(r.desired("text: two"))
	r.trace()

	r.helm("rollback", "app", "1", "-n", "meddled")
	r.says("one")
	r.converge(r.desired("text: two"))
	r.says("two")
	r.expects("after Helm's rollback", "2 superseded", "3 superseded: Rollback to 1", "4 deployed: Upgrade complete")
	if got := fmt.Sprint(r.trace()); got != "[pre-upgrade app-before repair app]" {
		t.Errorf("after Helm's rollback %s happened, want an upgrade", got)
	}

	// Nothing but a record tells this one.
	r.helm("rollback", "app", "4", "-n", "meddled")
	r.converge(r.desired("text: two"))
	r.expects("after a rollback that changes nothing", "4 superseded", "5 superseded: Rollback to 4", "6 deployed: Upgrade complete")
	r.trace()

	r.helm("uninstall", "app", "-n", "meddled")
	if _, err := r.kube.CoreV1().ConfigMaps("meddled").Get(r.ctx, "app", metav1.GetOptions{}); !apierrors.IsNotFound(err) {
		t.Fatalf("helm uninstall leaves the config map: %v", err)
	}
	r.converge(r.desired("text: two"))
	r.says("two")
	r.expects("after helm uninstall", "1 deployed: Install complete")
	if got := fmt.Sprint(r.trace()); got != "[pre-install app-before repair app]" {
		t.Errorf("after helm uninstall %s happened, want an installation", got)
	}
	if again, err := r.engine.Reconcile(r.ctx, r.target, r.desired("text: two")); err != nil || !again.Ready || again.Cost.Writes > 0 {
		t.Errorf("one more pass returns %+v, %v; want nothing done", again, err)
	}
	r.helm("uninstall", "app", "-n", "meddled", "--keep-history")
	r.converge(r.desired("text: two"))
	r.expects("after helm uninstall that keeps the history", "1 uninstalled", "2 deployed: Install complete")
	r.removes()
	list, err := r.kube.CoreV1().Secrets("meddled").List(r.ctx, metav1.ListOptions{LabelSelector: "owner=helm"})
	if err != nil || len(list.Items) > 0 {
		t.Errorf("deleting leaves %d records, %v", len(list.Items), err)
	}
}

// A chart whose record is too large for a Secret is installed all the same.
func TestE2ELargeRelease(t *testing.T) {
	chart := []string{
		"Chart.yaml", "apiVersion: v2\nname: released\nversion: 1.0.0\n",
		"values.yaml", "text: one\n",
		"templates/config.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: app}\ndata: {text: {{ .Values.text }}}\n",
	}
	for _, n := range []string{"a", "b", "c", "d"} {
		// Random bytes as base64: no packing makes them smaller than 500,000 bytes.
		random := make([]byte, 500_000)
		_, _ = rand.Read(random)
		chart = append(chart, "templates/"+n+".yaml", fmt.Sprintf("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: large-%s}\nbinaryData: {bytes: %s}\n", n, base64.StdEncoding.EncodeToString(random)))
	}
	r := newReleased(t, "large", chart...)
	r.converge(r.desired(""))
	r.expects("after installing", "1 deployed: Install complete; too large for a record, hence left out: notes, the chart's values, manifest")
	r.converge(r.desired("text: two"))
	r.says("two")
	r.expects("after upgrading", "1 superseded: Install complete", "2 deployed: Upgrade complete; too large")
	if got := r.helm("list", "-n", "large"); !strings.Contains(got, "released-1.0.0") {
		t.Errorf("helm list says\n%s", got)
	}
	if got := r.helm("get", "values", "app", "-n", "large"); !strings.Contains(got, "text: two") {
		t.Errorf("helm get values says\n%s", got)
	}
	// Helm must not take what is left of the manifest for all of it.
	for _, args := range [][]string{{"rollback", "app", "1"}, {"uninstall", "app"}} {
		if out, err := r.tryHelm(append(args, "-n", "large")...); err == nil {
			t.Errorf("helm %v: %v\n%s\nwant it to refuse", args, err, out)
		}
	}
	if _, err := r.kube.CoreV1().ConfigMaps("large").Get(r.ctx, "large-a", metav1.GetOptions{}); err != nil {
		t.Error(err)
	}
	r.converge(r.desired("text: two"))
	r.removes()
}

package reconcile_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"testing/fstest"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/strata-go/strata/layer"
	"github.com/strata-go/strata/profile"
	"github.com/strata-go/strata/reconcile"
	"github.com/strata-go/strata/reconcile/bom"
)

// mark is in every secret of the test, and in no output.
const mark = "hush"

// secretive has secrets wherever content may have values.
func secretive(version string) fstest.MapFS {
	return files(
		"Chart.yaml", "apiVersion: v2\nname: secretive\nversion: "+version+"\n",
		"values.yaml", "plain: "+mark+"-in-a-chart\ntoken: ''\nbroken: false\nhookFails: false\n",
		"templates/secret.yaml", "apiVersion: v1\nkind: Secret\nmetadata: {name: secretive}\nstringData: {plain: {{ .Values.plain }}, token: {{ .Values.token | quote }}}\n",
		"templates/all.yaml", strings.NewReplacer("NAME", "secretive", "namespace: default", "annotations: {token: {{ .Values.token | quote }}}",
			"ANNOTATIONS", "", "pause:3.10", `pause:3.10, env: [{name: TOKEN, value: {{ .Values.token | quote }}}], args: [{{ printf "--token=%s" .Values.token | quote }}]`).Replace(workload),
		"templates/broken.yaml", "{{ if .Values.broken }}{{ fail (printf \"the token is %s\" .Values.token) }}{{ end }}\n",
		"templates/hook.yaml", strings.NewReplacer("NAME", "job", "EVENTS", "pre-upgrade", "WEIGHT", "0", "MORE", "helm.sh/hook-delete-policy: before-hook-creation",
			"{{ .Values.fail }}", `{{ .Values.hookFails }}", strata.dev/test-log: "logging in with {{ .Values.token }}`).Replace(hook),
		"templates/NOTES.txt", "Log in with {{ .Values.token }}.\n",
	)
}

// Nothing that people read, and nothing that is sent somewhere, has a secret in it.
func TestE2ESecrecy(t *testing.T) {
	l := newLife(t, "secrecy")
	client := l.server.Client()
	if _, err := client.PushChart(l.ctx, l.server.URL, secretive("1.0.0")); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer // everything that is put out
	l.engine.Logger = slog.New(slog.NewTextHandler(&out, &slog.HandlerOptions{Level: slog.LevelDebug}))
	say := func(all ...any) {
		for _, one := range all {
			fmt.Fprintf(&out, "%+v\n", one)
			if data, err := json.Marshal(one); err == nil {
				out.Write(data)
			}
		}
	}
	desired := func(token, values string) *profile.Desired {
		t.Helper()
		chart := layer.Layer{Name: "chart", Namespace: "secrecy", Source: layer.Source{Helm: &layer.Helm{Chart: "secretive"}}, Values: "token: '{{ .spectro.var.token }}'\n" + values}
		config := plain("config", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: secrecy, namespace: default}\ndata: {url: 'https://user:{{ .spectro.var.token }}@example.com', encoded: '{{ .spectro.var.token | b64enc }}'}\n"+
			"---\napiVersion: v1\nkind: Secret\nmetadata: {name: secrecy, namespace: default}\nstringData: {written: "+mark+"-in-a-manifest}\n")
		config.InstallOrder = 1
		s, err := profile.Compose(&profile.Profile{
			Name: "secrecy", Version: "1.0.0", Type: profile.AddOn, Layers: []layer.Layer{chart, config},
			Variables: []profile.Variable{{Name: "token", Sensitive: true}},
		})
		if err != nil {
			t.Fatal(err)
		}
		s.Variables = map[string]string{"token": token}
		d, err := s.Resolve(l.ctx, client, nil)
		if err != nil {
			t.Fatal(err)
		}
		say(d.Lock(), d, d.Digest())
		return d
	}
	plan := func(d *profile.Desired) {
		p, err := l.engine.Plan(l.ctx, l.target, d)
		say(err)
		if p != nil {
			say(p, p.String(), p.Markdown(), p.Steps)
		}
	}
	status := func() {
		s, err := l.engine.Status(l.ctx, l.target)
		if err != nil {
			t.Fatal(err)
		}
		bill, err := bom.Encode(s, bom.Details{})
		say(err, s, s.String(), s.Picture(), s.SVG(), string(bill))
		states, err := l.engine.History(l.ctx, l.target)
		say(err, states)
	}
	first, second := desired(mark+"-first-token", ""), desired(mark+"-second-token", "")
	plan(first)
	say(l.converge(first))
	status()
	plan(second)
	// Somebody changes what has a secret in it.
	for resource, o := range map[object]string{
		{secrets, "secrecy", "secretive"}:     `{"data":{"token":"eA=="}}`,
		{configMaps, "default", "secrecy"}:    `{"data":{"url":"https://example.com"}}`,
		{deployments, "secrecy", "secretive"}: `{"metadata":{"annotations":{"token":"x"}}}`,
	} {
		if _, err := l.dynamic.Resource(resource.resource).Namespace(resource.namespace).Patch(l.ctx, resource.name, types.MergePatchType, []byte(o), metav1.PatchOptions{FieldManager: "somebody"}); err != nil {
			t.Fatal(err)
		}
	}
	status()
	plan(first)
	say(l.converge(first))

	for _, values := range []string{"broken: true", "hookFails: true"} {
		d := desired(mark+"-second-token", values)
		plan(d)
		result, err := l.engine.Converge(l.ctx, l.target, d)
		if err == nil {
			t.Errorf("%s: no error", values)
		}
		say(result, err)
		status()
	}
	say(l.converge(second))
	status()
	found, err := l.engine.Discover(l.ctx, reconcile.Target{Config: l.target.Config, Name: "other"}, reconcile.Hints{})
	say(err)
	if found != nil {
		say(found.String())
	}
	say(l.engine.DeleteAndWait(l.ctx, l.target))
	say(l.events)
	for line := range strings.Lines(out.String()) {
		if i := strings.Index(line, mark); i >= 0 {
			t.Errorf("a secret is shown: ...%s...", line[max(0, i-200):min(len(line), i+80)])
		}
	}
	// aHVzaC = base64 of what begins with the mark.
	if i := strings.Index(out.String(), "aHVzaC"); i >= 0 {
		t.Errorf("an encoded secret is shown: %s", out.String()[max(0, i-200):i+40])
	}
	if out.Len() < 20_000 {
		t.Errorf("only %d bytes were looked at", out.Len())
	}
}

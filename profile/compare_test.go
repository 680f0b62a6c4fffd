package profile_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/strata-go/strata/layer"
	"github.com/strata-go/strata/profile"
)

func TestCompare(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name  string
		of    string // the profile
		pairs []string
		want  string
	}{
		{"nothing", infra, nil, ""},
		{"upgrade of a core layer", infra, []string{"~1.33", "~1.34"},
			"kubernetes layer k8s upgraded: pack kubernetes@~1.33 → pack kubernetes@~1.34 [replaces nodes: Kubernetes is upgraded]\n"},
		{"downgrade", infra, []string{"1.10", "1.9"}, "storage layer nfs downgraded: helm nfs@1.10 → helm nfs@1.9\n"},
		{"a wider constraint", infra, []string{"~1.33", "'>=1.33'"}, "kubernetes layer k8s changed: pack kubernetes@~1.33 → pack kubernetes@>=1.33 [replaces nodes: version is part of the configuration of nodes]\n  version: ~1.33 → >=1.33\n"},
		{"swap of a core layer", infra, []string{"{name: calico, kind: network, pack: {name: calico}}", "{name: cilium, kind: network, pack: {name: cilium}}"},
			"network layer cilium swapped: pack calico → pack cilium\n"},
		{"another OS", infra, []string{"name: ubuntu, version", "name: rhel, version"},
			"os layer ubuntu swapped: pack ubuntu@22.4.x → pack rhel@22.4.x [replaces nodes: the node image is swapped]\n"},
		{"values that nodes see", infra, []string{"version: ~1.33}", "version: ~1.33}, values: 'kubeadmconfig: {a: 1}'"},
			"kubernetes layer k8s changed [replaces nodes: values.kubeadmconfig is part of the configuration of nodes]\n  values.kubeadmconfig: {a: 1}\n"},
		{"values that nodes do not see", infra, []string{"version: ~1.33}", "version: ~1.33}, values: 'pack: {namespace: x}'"},
			"kubernetes layer k8s changed\n  values.pack: {namespace: x}\n"},
		{"the profile", infra, []string{"name: base\n", "name: base\n  labels: {team: a}\n", "1.0.0", "1.1.0"}, "labels: {team: a}\nversion: 1.0.0 → 1.1.0\n"},
		{"another layer and a layer less", addon, []string{"- name: first\n    installOrder: -1", "- name: other\n    installOrder: -1"}, "add-on layer other added: manifests\nadd-on layer first removed: manifests\n"},
		{"moved", addon, []string{"installOrder: 10", "installOrder: 20"}, "add-on layer web moved\n  installOrder: 10 → 20\n"},
		{"values by path", addon, []string{"kubernetes: '{{ .spectro.system.kubernetes.version }}'", "image: {tags: [a, b]}", "{{ .spectro.var.replicas }}", "3"},
			"add-on layer web changed\n  values.replicas: {{ .spectro.var.replicas }} → 3\n  values.kubernetes: '{{ .spectro.system.kubernetes.version }}' → (none)\n  values.image: {tags: [a, b]}\n"},
		{"comments", addon, []string{"# how many", "# so many"}, "add-on layer web changed\n  values: only comments or layout differ\n"},
		{"options", addon, []string{"namespace: web", "namespace: www\n    keep: [Secret]\n    adopt: always\n    crds: never"}, "add-on layer web changed\n  adopt: always\n  crds: never\n  keep: [Secret]\n  namespace: web → www\n"},
		{"drift", addon, []string{"namespace: web", "namespace: web\n    drift: {mode: report}"}, "add-on layer web changed\n  drift.mode: report\n"},
		{"what it may have", addon, []string{"namespace: web", "namespace: web\n    allow: {namespaces: [web], kinds: [Deployment.apps]}"}, "add-on layer web changed\n  allow.kinds: [Deployment.apps]\n  allow.namespaces: [web]\n"},
		{"a Secret", addon, []string{`{token: "{{ .spectro.var.token }}"}`, "{token: hunter2, user: me}"},
			"add-on layer first changed\n  manifests.secret[Secret].stringData.token: (sensitive) → (sensitive)\n  manifests.secret[Secret].stringData.user: (sensitive)\n"},
		{"variables", addon, []string{`default: "2"`, `default: "3", description: how many`, "- {name: token, sensitive: true, required: true}", "- {name: token, sensitive: true, required: true, default: hunter2}"},
			"variable replicas changed\n  default: \"2\" → \"3\"\n  description: how many\nvariable token changed\n  default: (sensitive)\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			a, b := parse(t, tt.of), parse(t, strings.NewReplacer(tt.pairs...).Replace(tt.of))
			d := profile.Compare(a, b)
			if got := d.String(); got != tt.want {
				t.Errorf("difference is\n%s\nwant\n%s", got, tt.want)
			}
			if d.Empty() != (tt.want == "") {
				t.Errorf("Empty() = %v", d.Empty())
			}
			made, err := d.Apply(a)
			if err != nil || made.Digest() != b.Digest() || !profile.Compare(made, b).Empty() {
				t.Errorf("applying the difference gives %+v, %v", made, err)
			}
			if data, err := json.Marshal(d); err != nil || strings.Contains(string(data)+d.Markdown(), "hunter2") {
				t.Errorf("the difference shows a secret: %s, %v", data, err)
			}
		})
	}
}

func TestCompareHidesDefaultsOfSensitiveVariables(t *testing.T) {
	t.Parallel()
	p := addOn("apps", chart("web"))
	p.Variables = []profile.Variable{{Name: "token", Sensitive: true, Default: "hunter2"}}
	q := addOn("apps", chart("web"))
	q.Layers[0].Values = "password: hunter2"
	q.Variables = []profile.Variable{{Name: "token", Default: "hunter2"}}
	d := profile.Compare(p, q)
	if text := d.String() + d.Markdown(); strings.Contains(text, "hunter2") || !strings.Contains(text, "values.password: (sensitive)") {
		t.Errorf("difference is %s", text)
	}
}

func TestApplyElsewhere(t *testing.T) {
	t.Parallel()
	a := addOn("apps", chart("web"), chart("db"))
	b := addOn("apps", chart("web"), chart("db"))
	b.Layers[0].Helm = &layer.Helm{Chart: "web", Version: "2.x"}
	d := profile.Compare(a, b)
	other := addOn("other", chart("queue"), chart("web"))
	got, err := d.Apply(other)
	if err != nil || got.Name != "other" || len(got.Layers) != 2 || got.Layers[0].Helm.Version != "2.x" || got.Layers[1].Name != "queue" {
		t.Errorf("applied to another profile it gives %+v, %v", got, err)
	}
	other.Layers[1].Namespace = "www"
	if _, err := d.Apply(other); err == nil || !strings.Contains(err.Error(), `layer "web" is not as it was in apps@1.0.0`) {
		t.Errorf("error = %v", err)
	}
	lock := lockOf(t, stackOf(t, "abc"), world)
	if _, err := profile.CompareLocks(lock, lock).Apply(a); err == nil {
		t.Error("a difference of locks can be applied")
	}
}

func TestMarkdown(t *testing.T) {
	t.Parallel()
	b := parse(t, strings.NewReplacer("1.0.0", "1.1.0", "~1.33", "~1.34", "pack: {name: calico}", "pack: {name: calico}, values: 'a: \"x|`y\"'").Replace(infra))
	got := profile.Compare(parse(t, infra), b).Markdown()
	const want = "### `base@1.0.0` → `base@1.1.0`\n\n" +
		"**Nodes are replaced:**\n\n- layer `k8s`: Kubernetes is upgraded\n\n" +
		"| | change | from | to |\n|---|---|---|---|\n" +
		"| kubernetes `k8s` | upgraded | `pack kubernetes@~1.33` | `pack kubernetes@~1.34` |\n" +
		"| network `calico` | changed | `pack calico` | `pack calico` |\n\n" +
		"| of | field | old | new |\n|---|---|---|---|\n" +
		"| profile | `version` | `1.0.0` | `1.1.0` |\n" +
		"| `calico` | `values.a` |  | ``\"x\\|`y\"`` |\n"
	if got != want {
		t.Errorf("Markdown is\n%s\nwant\n%s", got, want)
	}
}

func TestCompareLocks(t *testing.T) {
	t.Parallel()
	before := lockOf(t, stackOf(t, "abc"), world)
	later := versions{"ubuntu": "22.4.1", "kubernetes": "1.33.9", "calico": "3.29.0", "nfs": "1.10.4", "web": "5.0.0"}
	s := stackOf(t, "abd")
	s.Variables["replicas"] = "4"
	s.Overrides = []profile.Override{{Layer: "web", Values: "a: 1"}}
	after := lockOf(t, s, later)
	after.Layers[0].Digest = after.Layers[1].Digest
	const want = `os layer ubuntu repinned [replaces nodes: the node image is repinned]
kubernetes layer k8s upgraded: pack kubernetes@1.33.2 → pack kubernetes@1.33.9 [replaces nodes: Kubernetes is upgraded]
network layer calico downgraded: pack calico@3.30.0 → pack calico@3.29.0
add-on layer web changed
  values: VALUES
variable replicas changed
  value: 2 → 4
variable token changed
  value: (sensitive) → (sensitive)
`
	values := before.Layers[5].Values.String() + " → " + after.Layers[5].Values.String()
	d := profile.CompareLocks(before, after)
	if got := strings.Replace(d.String(), values, "VALUES", 1); got != want {
		t.Errorf("difference is\n%s\nwant\n%s", got, want)
	}
	if got := len(d.Repave()); got != 2 {
		t.Errorf("%d layers replace nodes, want 2", got)
	}
	more, err := profile.Compose(parse(t, strings.Replace(infra, "{name: calico, kind: network, pack: {name: calico}}", "{name: cilium, kind: network, pack: {name: calico}}", 1)))
	if err != nil {
		t.Fatal(err)
	}
	got := profile.CompareLocks(before, lockOf(t, more, world)).String()
	for _, want := range []string{"network layer cilium swapped", "profile apps removed: 2.1.0", "add-on layer web removed: helm web@5.0.0", "add-on layer first removed: manifests", "variable token removed"} {
		if !strings.Contains(got, want) {
			t.Errorf("difference has no %q:\n%s", want, got)
		}
	}
}

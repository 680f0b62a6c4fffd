package profile_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/strata-go/strata/layer"
	"github.com/strata-go/strata/profile"
)

// rules returns "rule layer" of each error.
func rules(t *testing.T, err error) []string {
	t.Helper()
	if err == nil {
		return nil
	}
	var found []string
	for _, e := range err.(interface{ Unwrap() []error }).Unwrap() {
		ce, ok := errors.AsType[*profile.ConstraintError](e)
		if !ok || !errors.Is(e, profile.ErrConstraint) {
			t.Fatalf("%v is no *ConstraintError", e)
		}
		found = append(found, strings.TrimSpace(string(ce.Rule)+" "+ce.Layer))
	}
	return found
}

func TestCheckConstraints(t *testing.T) {
	t.Parallel()
	kube := func(version string) profile.LayerFacts {
		return profile.LayerFacts{Layer: "k8s", Kind: layer.Kubernetes, Source: "kubernetes", Version: version}
	}
	app := func(change func(*profile.LayerFacts)) profile.LayerFacts {
		l := profile.LayerFacts{Layer: "app", Source: "app", Version: "1.0.0"}
		change(&l)
		return l
	}
	needs := func(kind, lowest, highest string) profile.LayerFacts {
		return app(func(l *profile.LayerFacts) {
			l.Dependencies = []profile.Dependency{{Pack: "kubernetes", Kind: layer.Kubernetes, Type: kind, MinVersion: lowest, MaxVersion: highest}}
		})
	}
	self := func(version, lowest, highest string) profile.LayerFacts {
		return app(func(l *profile.LayerFacts) {
			l.Version = version
			l.Dependencies = []profile.Dependency{{Pack: "app", Type: "upgrade", MinVersion: lowest, MaxVersion: highest}}
		})
	}
	type layers = []profile.LayerFacts
	for _, tt := range []struct {
		name  string
		facts profile.Facts
		want  []string
	}{
		{"nothing known", profile.Facts{}, nil},
		{"required and there", profile.Facts{Layers: layers{kube("1.33.2"), needs("required", "1.30", "1.34")}}, nil},
		{"required and missing", profile.Facts{Layers: layers{needs("required", "1.30", "")}}, []string{"required app"}},
		{"required and too old", profile.Facts{Layers: layers{kube("1.29.9"), needs("required", "1.30", "")}}, []string{"required app"}},
		{"bounds are inclusive", profile.Facts{Layers: layers{kube("1.30"), needs("required", "1.30", "1.30.0")}}, nil},
		{"a bound of two numbers ends in zero", profile.Facts{Layers: layers{kube("1.21.5"), needs("required", "", "1.21")}}, []string{"required app"}},
		{"without bounds any version will do", profile.Facts{Layers: layers{kube("jammy"), needs("required", "", "")}}, nil},
		{"incomparable", profile.Facts{Layers: layers{kube("jammy"), needs("required", "1.30", "")}}, []string{"required app"}},
		{"optional and missing", profile.Facts{Layers: layers{needs("optional", "1.30", "")}}, nil},
		{"optional and too new", profile.Facts{Layers: layers{kube("1.35.0"), needs("optional", "", "1.34")}}, []string{"optional app"}},
		{"not supported", profile.Facts{Layers: layers{kube("1.33.0"), needs("notSupported", "1.33", "1.34")}}, []string{"not-supported app"}},
		{"not supported, outside", profile.Facts{Layers: layers{kube("1.32.9"), needs("notSupported", "1.33", "1.34")}}, nil},
		{"a type nobody knows", profile.Facts{Layers: layers{kube("1.20.0"), needs("", "1.30", "")}}, nil},
		{"upgrade too far", profile.Facts{Before: layers{self("3.3.5", "", "3.26.7")}, Layers: layers{self("4.0.0", "", "")}}, []string{"upgrade app"}},
		{"upgrade within", profile.Facts{Before: layers{self("3.3.5", "", "3.26.7")}, Layers: layers{self("3.26.7", "", "")}}, nil},
		{"upgrade that goes back", profile.Facts{Before: layers{self("2.9.0", "2.9.0", "")}, Layers: layers{self("2.8.0", "", "")}}, []string{"upgrade app"}},
		{"no upgrade at all", profile.Facts{Before: layers{self("3.30.0", "", "3.26.7")}, Layers: layers{self("3.30.0", "", "")}}, nil},
		{"charts", profile.Facts{Layers: layers{kube("1.33.2"), app(func(l *profile.LayerFacts) { l.KubeVersions = []string{">=1.25.0-0", "<1.30", "~> nonsense"} })}}, []string{"kube-version app", "kube-version app"}},
		{"a revision is no pre-release", profile.Facts{Layers: layers{kube("1.33.2-rev2"), app(func(l *profile.LayerFacts) { l.KubeVersions = []string{">=1.25"} })}}, nil},
		{"one minor", profile.Facts{Before: layers{kube("1.32.9")}, Layers: layers{kube("1.33.2")}}, nil},
		{"two minors", profile.Facts{Before: layers{kube("1.31.9")}, Layers: layers{kube("1.33.2")}}, []string{"skew k8s"}},
		{"back a patch", profile.Facts{Before: layers{kube("1.33.2")}, Layers: layers{kube("1.33.1")}}, []string{"downgrade k8s"}},
		{"a revision of the same", profile.Facts{Before: layers{kube("1.33.2")}, Layers: layers{kube("1.33.2-rev2")}}, nil},
		{"another major", profile.Facts{Before: layers{kube("1.33.2")}, Layers: layers{kube("2.0.0")}}, []string{"skew k8s"}},
		{"nodes too far behind", profile.Facts{Layers: layers{kube("1.33.2")}, Pools: []profile.NodePool{{Name: "old", Kubernetes: "1.29.1"}, {Name: "fine", Kubernetes: "1.30.0"}, {Name: "ahead", Kubernetes: "1.34.0"}}}, []string{"skew k8s", "skew k8s"}},
		{"wrong cloud", profile.Facts{Layers: layers{app(func(l *profile.LayerFacts) { l.Cloud, l.Clouds = "aws", []string{"vsphere"} })}}, []string{"cloud app"}},
		{"right clouds", profile.Facts{Layers: layers{
			app(func(l *profile.LayerFacts) { l.Cloud, l.Clouds = "aws", []string{"vsphere", "aws"} }),
			app(func(l *profile.LayerFacts) { l.Cloud, l.Clouds = "aws", []string{"all"} }),
			app(func(l *profile.LayerFacts) { l.Cloud, l.Clouds = "nutanix", []string{"custom"} }),
			app(func(l *profile.LayerFacts) { l.Cloud, l.Clouds = "all", []string{"aws"} })}}, nil},
		{"all at once", profile.Facts{Before: layers{kube("1.31.0")}, Layers: layers{kube("1.33.2"), needs("optional", "", "1.32"), app(func(l *profile.LayerFacts) { l.Cloud, l.Clouds = "aws", []string{"gcp"} })}}, []string{"optional app", "cloud app", "skew k8s"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			err := profile.CheckConstraints(tt.facts)
			if got := rules(t, err); !slices.Equal(got, tt.want) {
				t.Errorf("errors are %q, want %q\n%v", got, tt.want, err)
			}
		})
	}
}

func TestResources(t *testing.T) {
	t.Parallel()
	pools := []profile.NodePool{
		{Name: "cp", ControlPlane: true, Nodes: 1, MilliCPU: 2000, MiB: 4096},
		{Name: "workers", Nodes: 3, MilliCPU: 4000, MiB: 8192, DiskGB: 100},
	}
	values := map[string]any{"web": map[string]any{"cpu": "500m", "memory": "1Gi", "replicas": float64(9)}}
	on := func(schedule string) profile.Resource {
		return profile.Resource{Type: "cpu", MinLimit: 1e9, Components: []profile.Component{{RequestPath: "web.cpu", ReplicasPath: "web.replicas", Schedule: schedule}}}
	}
	for _, tt := range []struct {
		name  string
		needs []profile.Resource
		want  string // "" if it is enough
	}{
		{"a limit", []profile.Resource{{Type: "cpu", MinLimit: 14000}}, ""},
		{"limits together", []profile.Resource{{Type: "cpu", MinLimit: 14000}, {Type: "cpu", MinLimit: 1}}, "the layers app need 14001m of cpu on all nodes, and those have 14000m"},
		{"memory", []profile.Resource{{Type: "memory", MinLimit: 30000}}, "need 30000Mi of memory on all nodes, and those have 28672Mi"},
		{"disks that are not known", []profile.Resource{{Type: "diskSize", MinLimit: 1e6}}, ""},
		{"components", []profile.Resource{on("worker")}, ""},
		{"components of the control plane", []profile.Resource{on("master")}, "need 4500m of cpu on control-plane nodes, and those have 2000m"},
		{"memory of components", []profile.Resource{{Type: "memory", Components: []profile.Component{{RequestPath: "web.memory", ReplicasPath: "web.replicas", Schedule: "control-plane"}}}}, "need 9216Mi of memory"},
		{"no quantity", []profile.Resource{{Type: "cpu", Components: []profile.Component{{RequestPath: "web"}}}}, "web: want a quantity such as 500m or 1Gi"},
		{"values that are not known", []profile.Resource{{Type: "cpu", Components: []profile.Component{{RequestPath: "db.cpu"}}}}, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			err := profile.CheckConstraints(profile.Facts{Pools: pools, Layers: []profile.LayerFacts{{Layer: "app", Resources: tt.needs, Values: values}}})
			if tt.want == "" && err != nil || tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)) {
				t.Errorf("error = %v, want %q", err, tt.want)
			}
		})
	}
}

func TestKubernetesPath(t *testing.T) {
	t.Parallel()
	available := []string{"1.31.4", "1.31.11", "1.32.3", "1.33.0", "1.33.0-rc.1", "jammy"}
	for _, tt := range []struct {
		from, to string
		want     string
		rule     profile.Rule
	}{
		{"1.30.1", "1.33.0", "1.31.11 1.32.3 1.33.0", ""},
		{"1.30.1", "1.31.4", "1.31.4", ""},
		{"1.31.4", "1.31.4", "", ""},
		{"1.31.4", "1.31.0", "", profile.RuleDowngrade},
		{"1.28.0", "1.31.4", "", profile.RuleSkew},
		{"1.31.4", "2.0.0", "", profile.RuleSkew},
	} {
		path, err := profile.KubernetesPath(tt.from, tt.to, available)
		e, _ := errors.AsType[*profile.ConstraintError](err)
		if strings.Join(path, " ") != tt.want || (e != nil) != (tt.rule != "") || e != nil && e.Rule != tt.rule {
			t.Errorf("%s to %s: %v, %v; want %s, %s", tt.from, tt.to, path, err, tt.want, tt.rule)
		}
	}
}

func TestFactsOfDesired(t *testing.T) {
	t.Parallel()
	d, err := profile.Resolve(t.Context(), world, nil, parse(t, infra))
	if err != nil {
		t.Fatal(err)
	}
	before := d.Facts()
	if got := before[1]; got.Layer != "k8s" || got.Kind != layer.Kubernetes || got.Source != "kubernetes" || got.Version != "1.33.2" || got.Cloud != "generic" {
		t.Errorf("facts are %+v", got)
	}
	older := slices.Clone(before)
	older[1].Version = "1.32.0"
	if err := profile.CheckConstraints(profile.Facts{Before: before, Layers: older}); !errors.Is(err, profile.ErrConstraint) {
		t.Errorf("a downgrade gives %v", err)
	}
}

package pack_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/strata-go/strata/layer"
	"github.com/strata-go/strata/pack"
)

func TestCheckStack(t *testing.T) {
	t.Parallel()
	tests := []struct {
		kind     pack.DependencyType
		min, max string
		have     string // version of the other pack; "" is not there
		want     string // "" is no error
	}{
		{pack.Required, "", "", "", "needs other in the stack: add it"},
		{pack.Required, "1.0", "", "", "needs other from 1.0 on in the stack: add it"},
		{pack.Required, "", "", "anything", ""},
		{pack.Required, "1.27", "1.29", "1.27.0", ""},
		{pack.Required, "1.27", "1.29", "v1.27", ""},
		{pack.Required, "1.27", "1.29", "1.29.0", ""},
		{pack.Required, "1.27", "1.29", "1.29.1", "needs other from 1.27 to 1.29, and the stack has 1.29.1"},
		{pack.Required, "1.27", "1.29", "1.26.9", "needs other from 1.27 to 1.29, and the stack has 1.26.9"},
		{pack.Required, "1.26.2-rev2", "", "1.26.2-rev1", "needs other from 1.26.2-rev2 on"},
		{pack.Required, "1.26.2-rev2", "", "1.26.2-rev10", ""},
		{pack.Required, "", "1.26.2", "1.26.2-rev2", ""},
		{pack.Required, "1.0", "", "jammy", `other: version "jammy"`},
		{pack.Optional, "1.0", "", "", ""},
		{pack.Optional, "2.0", "", "1.0", "needs other from 2.0 on, and the stack has 1.0"},
		{pack.Optional, "", "24.04", "22.04", ""},
		{pack.NotSupported, "", "", "", ""},
		{pack.NotSupported, "", "", "1.0", "does not work with other, and the stack has 1.0"},
		{pack.NotSupported, "1.0", "2.0", "2.0.1", ""},
		{pack.NotSupported, "1.0", "2.0", "2.0.0", "does not work with other from 1.0 to 2.0, and the stack has 2.0.0"},
		{pack.Upgrade, "2.0", "", "1.0", ""},
		{"", "2.0", "", "1.0", ""},
	}
	for _, test := range tests {
		t.Run(fmt.Sprint(test.kind, test.min, "-", test.max, " ", test.have), func(t *testing.T) {
			t.Parallel()
			p := &pack.Pack{Name: "mine", Constraints: pack.Constraints{Dependencies: []pack.Dependency{
				{Pack: "other", Kind: layer.AddOn, Type: test.kind, MinVersion: test.min, MaxVersion: test.max}}}}
			var stack []pack.Member
			if test.have != "" {
				stack = append(stack, pack.Member{Pack: "other", Version: test.have}) // the zero kind is that of add-ons
			}
			err := p.CheckStack(stack)
			if test.want == "" {
				if err != nil {
					t.Error(err)
				}
				return
			}
			e, ok := errors.AsType[*pack.DependencyError](err)
			if !ok || !strings.HasPrefix(err.Error(), "pack mine: "+test.want) || e.Have != test.have {
				t.Errorf("got %v; want %s", err, test.want)
			}
		})
	}
}

func TestCheckStackReportsAll(t *testing.T) {
	t.Parallel()
	p := &pack.Pack{Name: "mine", Constraints: pack.Constraints{Dependencies: []pack.Dependency{
		{Pack: "a", Kind: layer.Storage, Type: pack.Required},
		{Pack: "b", Kind: layer.Network, Type: pack.NotSupported},
	}}}
	err := p.CheckStack([]pack.Member{{Pack: "a", Version: "1.0"}, {Pack: "b", Version: "1.0", Kind: layer.Network}})
	const want = `pack mine: needs a as a layer of kind storage, and it is one of kind add-on
pack mine: does not work with b, and the stack has 1.0`
	if err == nil || err.Error() != want {
		t.Errorf("got:\n%v\nwant:\n%s", err, want)
	}
}

// The packs that have such a dependency: one may not be changed past a version,
// the other not to an older one.
func TestCheckUpgrade(t *testing.T) {
	t.Parallel()
	p := &pack.Pack{Name: "argo-cd", Version: "3.3.5", Constraints: pack.Constraints{Dependencies: []pack.Dependency{
		{Pack: "argo-cd", Type: pack.Upgrade, MinVersion: "3.3.5", MaxVersion: "3.26.7"},
		{Pack: "argo-cd", Type: pack.Optional, MinVersion: "9.0"}}}}
	for next, ok := range map[string]bool{"3.26.7": true, "3.3.5": true, "3.26.8": false, "3.3.4": false, "x": false} {
		if err := p.CheckUpgrade(pack.Member{Pack: "argo-cd", Version: next}); (err == nil) != ok {
			t.Errorf("%s: %v", next, err)
		}
	}
	if err := p.CheckUpgrade(pack.Member{Pack: "other", Version: "0.1"}); err != nil {
		t.Error(err)
	}
}

func TestNeeds(t *testing.T) {
	t.Parallel()
	p := &pack.Pack{Name: "p", Constraints: pack.Constraints{Resources: []pack.Resource{
		{Type: "cpu", MinLimit: 1500},
		{Type: "memory", MinLimit: 1, Components: []pack.Component{
			{RequestPath: "charts.a.memory", ReplicasPath: "charts.a.replicas", Schedule: "worker"},
			{RequestPath: "charts.b.memory", Schedule: "master"}}},
		{Type: "cpu", Components: []pack.Component{{RequestPath: "charts.a.cpu", ReplicasPath: "charts.a.replicas"}}},
		{Type: "diskSize", Components: []pack.Component{{RequestPath: "charts.a.disk"}}},
	}}}
	needs, err := p.Needs(parse(t, `charts: {a: {memory: 1.5Gi, replicas: 3, cpu: 250m, disk: 10G}, b: {memory: 512Mi}}`))
	if err != nil {
		t.Fatal(err)
	}
	want := "[{p cpu  1500} {p memory worker 4608} {p memory control-plane 512} {p cpu  750} {p diskSize  10}]"
	if got := fmt.Sprint(needs); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	_, err = p.Needs(parse(t, `charts: {a: {memory: lots, replicas: -1, cpu: {}, disk: 1}}`))
	if err == nil || strings.Count(err.Error(), "\n") != 4 || !strings.HasPrefix(err.Error(), "charts.a.memory: want a quantity") {
		t.Errorf("got %v", err)
	}

	enough := pack.Capacity{
		pack.ControlPlane: {"cpu": 1000, "memory": 512, "diskSize": 5},
		pack.Workers:      {"cpu": 1250, "memory": 4608, "diskSize": 5},
	}
	if err := pack.CheckCapacity(needs, enough); err != nil {
		t.Error(err)
	}
	tooSmall := pack.Capacity{
		pack.ControlPlane: {"cpu": 1000, "memory": 511, "diskSize": 5},
		pack.Workers:      {"cpu": 1249, "memory": 9000, "diskSize": 5},
	}
	const problems = `packs need 2250m CPU, and all machines together have 2249
packs need 512 MiB of memory, and the control-plane machines have 511`
	if err := pack.CheckCapacity(needs, tooSmall); err == nil || err.Error() != problems {
		t.Errorf("got:\n%v\nwant:\n%s", err, problems)
	}
}

func TestLife(t *testing.T) {
	t.Parallel()
	tests := []struct {
		annotations            map[string]string
		state                  pack.State
		selectable, deployable bool
	}{
		{nil, pack.Active, true, true},
		{map[string]string{"system_state": " Deprecated"}, pack.Deprecated, true, true},
		{map[string]string{"system_state": "disabled"}, pack.Disabled, false, true},
		{map[string]string{"system_state": "deprecated", "disabled": "true"}, pack.Disabled, false, true},
		{map[string]string{"system_state": "deleted", "disabled": "true"}, pack.Deleted, false, false},
		{map[string]string{"system_state": "new", "disabled": "false"}, pack.Active, true, true},
	}
	for _, test := range tests {
		s := (&pack.Pack{Annotations: test.annotations}).State()
		if s != test.state || s.Selectable() != test.selectable || s.Deployable() != test.deployable {
			t.Errorf("%v: %q, %t, %t", test.annotations, s, s.Selectable(), s.Deployable())
		}
	}
	day := time.Date(2027, 1, 31, 23, 59, 59, 0, time.UTC)
	for end, want := range map[string]bool{"2027-01-31": false, "2027-01-30": true, "": false, " ": false, "soon": false} {
		if got := (&pack.Pack{EndOfLife: end}).Ended(day); got != want {
			t.Errorf("%q has ended: %t", end, got)
		}
	}
}

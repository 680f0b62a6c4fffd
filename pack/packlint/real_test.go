package packlint_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/strata-go/strata/internal/realpacks"
	"github.com/strata-go/strata/pack/packlint"
)

// defects are some problems of real packs, all of which their authors would
// like to know: values that nobody reads, a chart that is not there, a template
// that is broken, names that are too long.
var defects = map[string][]string{
	"ambassador-6.6.0":                {`warning: values.yaml:7:3: charts.ingress-ambassador: nobody reads it`},
	"citrix-adc-1.7.6":                {`error: manifests/citrix-k8s-ingress-controller.yaml:1: Namespace citrix-system is written twice`},
	"external-snapshotter-4.0.1":      {`error: manifests/vsclass.yaml:14: unexpected EOF`},
	"gridlight-1.1.3":                 {`warning: values.yaml:33:1: auth: nobody reads it: chart gridlight-palette reads charts.gridlight-palette.auth`},
	"haproxy-unified-gateway-1.0.1":   {`error: pack.json:12:5: charts[0]: file "charts/gateway-api-crds-1.4.0.tgz": file does not exist`},
	"kubehunter-1.0.3":                {`warning: values.yaml:11:3: charts.cronjob: nobody reads it`},
	"kubewatch-1.0.7":                 {`warning: values.yaml:16:3: charts.slack: nobody reads it`},
	"ngrok-ingress-controller-0.9.0":  {`error: values.yaml:1:1: pack.releaseNameOverride: the release name "ngrok-ingress-controller-kubernetes-ingress-controller"`},
	"nvidia-dpf-prereqs-25.10.1":      {`warning: values.yaml:338:3: charts.isOpenshift: nobody reads it`, `info: values.yaml:14:1: charts.kamaji-crds: there is no such block`},
	"nvidia-dpf-prereqs-25.7.0":       {`warning: values.yaml:334:3: charts.isOpenshift: nobody reads it`},
	"nvidia-network-operator-25.10.0": {`error: charts/network-operator-25.10.0.tgz: chart network-operator 25.10.0: network-operator/charts/node-feature-discovery/values.schema.json refers to https://`},
	"nvidia-nvsentinel-v1.1.0":        {`warning: values.yaml:3:5: pack.releaseNameOverride.gpu-health-monitor: has no effect`},
	"veeamkasten-8.0.14":              {`warning: values.yaml:641:3: charts.frs: nobody reads it`},
	"hello-universe-1.3.1":            {`warning: values.yaml:3:1: pack.namespace: there is no namespace`},
}

// All packs of a public catalogue are rendered, but for the charts that need
// values of a user or are broken. How many those are is what Helm's own
// "template" finds, without a network.
func TestRealPacks(t *testing.T) {
	t.Parallel()
	dir := realpacks.Dir(t)
	folders, err := filepath.Glob(filepath.Join(dir, "*", "pack.json"))
	if err != nil || len(folders) != 199 {
		t.Fatalf("%d packs in %s: %v", len(folders), dir, err)
	}
	var charts, rendered, objects int
	for _, folder := range folders {
		name := filepath.Base(filepath.Dir(folder))
		r, err := packlint.Check(t.Context(), os.DirFS(filepath.Dir(folder)), packlint.Options{})
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range r.Charts {
			charts++
			objects += len(c.Objects)
			if c.Err == nil {
				rendered++
			} else if len(c.Objects) > 0 || r.OK() {
				t.Errorf("%s: %s has objects beside the error %v, or the pack is said to be right", name, c.File, c.Err)
			}
		}
		problems := problemsOf(r)
		for _, want := range defects[name] {
			if !strings.Contains("\n"+problems, "\n"+want) {
				t.Errorf("%s: got\n%s\nwant %s", name, problems, want)
			}
		}
	}
	if charts != 205 || rendered != 171 || objects != 2761 {
		t.Errorf("%d of %d charts have %d objects, want 171 of 205 and 2761", rendered, charts, objects)
	}
}

package layer_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"testing"

	"github.com/opencontainers/go-digest"

	"github.com/strata-go/strata/layer"
)

func TestKinds(t *testing.T) {
	t.Parallel()
	shuffled := []layer.Kind{"", layer.Storage, layer.OS, layer.Network, layer.Kubernetes}
	slices.SortFunc(shuffled, layer.Kind.Compare)
	if got := fmt.Sprint(shuffled); got != "[os kubernetes network storage ]" {
		t.Errorf("sorted kinds are %s", got)
	}
	for kind, want := range map[layer.Kind]bool{"": false, layer.AddOn: false, layer.OS: true, layer.Storage: true, "kernel": false} {
		if kind.Core() != want {
			t.Errorf("%q.Core() = %v", kind, kind.Core())
		}
	}
	if layer.Kind("netwrok").Valid() || !layer.Kind("").Valid() {
		t.Error("Valid does not know the kinds")
	}
}

func TestSource(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		source layer.Source
		format layer.Format
		ref    layer.Ref
	}{
		{layer.Source{}, "", layer.Ref{}},
		{layer.Source{Pack: &layer.Pack{Registry: "r", Name: "n", Version: "1"}}, layer.FormatPack, layer.Ref{Format: layer.FormatPack, Registry: "r", Name: "n", Version: "1"}},
		{layer.Source{Helm: &layer.Helm{Chart: "c", Strategy: layer.Oldest}}, layer.FormatHelm, layer.Ref{Format: layer.FormatHelm, Name: "c", Strategy: layer.Oldest}},
		{layer.Source{Zarf: &layer.Zarf{Package: "z"}}, layer.FormatZarf, layer.Ref{Format: layer.FormatZarf, Name: "z"}},
		{layer.Source{Manifests: &layer.Manifests{}}, layer.FormatManifests, layer.Ref{}},
	} {
		if tt.source.Format() != tt.format || tt.source.Ref() != tt.ref {
			t.Errorf("%+v: Format = %q, Ref = %v", tt.source, tt.source.Format(), tt.source.Ref())
		}
	}
}

func TestPinJSON(t *testing.T) {
	t.Parallel()
	pin := layer.Pin{
		Ref:        layer.Ref{Format: layer.FormatPack, Registry: "acme", Name: "ubuntu", Version: "22.x"},
		Repository: "oci://host/ubuntu", Resolved: "22.04", Digest: digest.FromString("x"),
	}
	data, err := json.Marshal(pin)
	if err != nil {
		t.Fatal(err)
	}
	var got layer.Pin
	if err := json.Unmarshal(data, &got); err != nil || got != pin {
		t.Errorf("%s becomes %v, %v", data, got, err)
	}
	if (layer.Pin{}).Zero() != true || pin.Zero() {
		t.Error("Zero does not tell a pin from none")
	}
}

func ExampleRef_String() {
	fmt.Println(layer.Ref{Format: layer.FormatHelm, Registry: "oci://ghcr.io/acme", Name: "web", Version: "~1.2"})
	// Output: helm oci://ghcr.io/acme/web@~1.2
}

package inventory

import (
	"reflect"
	"testing"
	"time"

	"github.com/strata-go/strata/internal/kube"
	"github.com/strata-go/strata/layer"
	"github.com/strata-go/strata/profile"
)

func sample() *Inventory {
	return &Inventory{
		Desired:  "sha256:desired",
		Profiles: []profile.ID{{Name: "a", Version: "1.0.0"}},
		Layers: []Layer{{
			Name: "web", Kind: layer.AddOn, InstallOrder: -3, Inputs: "sha256:in", Ready: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC),
			Releases: []Release{{Name: "web", Namespace: "ns", Revision: 2, Content: "sha256:content"}},
			Objects: []Object{{
				Ref: kube.Ref{Group: "apps", Version: "v1", Kind: "Deployment", Namespace: "ns", Name: "web"}, Resource: "deployments",
				UID: "1", Applied: "sha256:applied", Fields: "sha256:fields", Batch: 9, Created: true,
			}},
			Namespaces: []Namespace{{Name: "ns", Labels: map[string]string{"a": "b"}}},
		}},
		Namespaces: []Object{{Ref: kube.Ref{Version: "v1", Kind: "Namespace", Name: "ns"}, Resource: "namespaces"}},
	}
}

func TestEncode(t *testing.T) {
	t.Parallel()
	data, err := sample().Encode()
	if err != nil {
		t.Fatal(err)
	}
	got, err := Decode(data)
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(got, sample()) {
		t.Errorf("Decode(Encode(x)) = %+v, want %+v", got, sample())
	}
}

func TestDecodeErrors(t *testing.T) {
	t.Parallel()
	other := sample()
	newer, err := other.Encode()
	if err != nil {
		t.Fatal(err)
	}
	for _, data := range [][]byte{nil, []byte("no gzip"), newer[:len(newer)/2]} {
		if _, err := Decode(data); err == nil {
			t.Errorf("Decode(%q) has no error", data)
		}
	}
}

func TestClone(t *testing.T) {
	t.Parallel()
	inv := sample()
	c := inv.Clone()
	c.Layers[0].Objects[0].UID = "changed"
	c.Layers[0].Releases[0].Revision = 99
	c.Namespaces[0].UID = "changed"
	if !reflect.DeepEqual(inv, sample()) {
		t.Error("changing a clone changes the original")
	}
}

func TestID(t *testing.T) {
	t.Parallel()
	// printf strata-default.strata-system.Secret. | openssl dgst -sha256 -binary | base64
	// with the URL alphabet and no padding: "name.namespace.kind.group" of KEP-3659.
	const want = "applyset-9jg9JwJf6NJiyBPWAnulurv24v5LQCT3aei49H_XEHc-v1"
	got := ID("strata-system", "default")
	if got != want || len(got) > 63 {
		t.Errorf("ID = %s, want %s", got, want)
	}
	if got == ID("strata-system", "other") {
		t.Error("two installations have one ID")
	}
}

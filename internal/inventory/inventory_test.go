package inventory

import (
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/opencontainers/go-digest"

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
	data, err := encode(sample())
	if err != nil {
		t.Fatal(err)
	}
	got, err := decode(data)
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(got, sample()) {
		t.Errorf("decode(encode(x)) = %+v, want %+v", got, sample())
	}
}

func TestDecodeErrors(t *testing.T) {
	t.Parallel()
	for _, data := range []string{"", "%%%", "bm8gZ3ppcA=="} {
		if _, err := decode(data); err == nil {
			t.Errorf("decode(%q) has no error", data)
		}
	}
}

// An inventory that does not fit is refused, not cut.
func TestTooLarge(t *testing.T) {
	t.Parallel()
	inv := sample()
	for i := range 60_000 {
		o := inv.Layers[0].Objects[0]
		// Nothing that compresses well.
		o.Name = fmt.Sprintf("%x", uint64(i)*0x9e3779b97f4a7c15)
		o.Fields, o.Applied = digest.FromString(fmt.Sprint(i)), digest.FromString(fmt.Sprint(-i))
		inv.Layers[0].Objects = append(inv.Layers[0].Objects, o)
	}
	if _, err := encode(inv); err == nil || !strings.Contains(err.Error(), "more than the") {
		t.Errorf("error = %v, want that it is too large", err)
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
	got := Store{Namespace: "strata-system", Name: "strata-default"}.ID()
	if got != want || len(got) > 63 {
		t.Errorf("ID = %s, want %s", got, want)
	}
	if got == (Store{Namespace: "strata-system", Name: "strata-other"}).ID() {
		t.Error("two installations have one ID")
	}
}

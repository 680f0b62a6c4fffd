package unittest

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/strata-go/strata/profile"
	"github.com/strata-go/strata/profile/profiletest"
)

// What every stack of ours obeys.
func policies() []profiletest.Policy {
	return []profiletest.Policy{
		profiletest.Namespaced,
		profiletest.Constrained,
		profiletest.Released,
		profiletest.FromRegistries("oci://registry.example.com/packs", "oci://registry.example.com/charts"),
		profiletest.NotOlder("kubernetes", "1.32"),
		profiletest.NotOlder("cert-manager", "1.18.0"), // the oldest that its makers still mend
		noReservedNamespace,
	}
}

// A policy of our own: what belongs to Kubernetes is not ours to install into.
func noReservedNamespace(l profile.PinnedLayer) error {
	if !l.Kind.Core() && strings.HasPrefix(l.Namespace, "kube-") {
		return errors.New("installs into " + l.Namespace)
	}
	return nil
}

// Each file in testdata is a case. After a change that is meant, run
//
//	go test ./unittest -update
//
// and look at what changed in the cases: that is what would change on clusters.
func TestStacks(t *testing.T) {
	t.Parallel()
	profiletest.Run(t, "testdata/*.txtar", policies()...)
}

// Files are kept in the canonical form, so that differences between them are
// differences of what they say.
func TestFilesAreFormatted(t *testing.T) {
	t.Parallel()
	for _, pattern := range []string{"profiles/*.yaml", "stacks/*.yaml"} {
		files, err := filepath.Glob(pattern)
		if err != nil || len(files) == 0 {
			t.Fatalf("%s: %v", pattern, err)
		}
		for _, file := range files {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			formatted, err := profile.FormatFile(text)
			if err != nil {
				t.Errorf("%s: %v", file, err)
			} else if !bytes.Equal(text, formatted) {
				t.Errorf("%s is not formatted; want\n%s", file, formatted)
			}
		}
	}
}

// A test may also do by itself what a case does: here, ask what a new patch of
// Kubernetes and a new Cilium do to nodes.
func TestPatchesReplaceNodesOnly(t *testing.T) {
	t.Parallel()
	base, err := profile.Load("profiles/base.yaml")
	if err != nil {
		t.Fatal(err)
	}
	resolve := func(versions profiletest.Versions) *profile.Lock {
		desired, err := profile.Resolve(t.Context(), versions, nil, base)
		if err != nil {
			t.Fatal(err)
		}
		return desired.Lock()
	}
	now := resolve(profiletest.Versions{
		"pack ubuntu-aws": {"24.04"}, "pack kubernetes": {"1.33.5"}, "pack cni-cilium-oss": {"1.18.2"}, "pack csi-aws-ebs": {"1.46.0"},
	})
	next := resolve(profiletest.Versions{
		"pack ubuntu-aws": {"24.04"}, "pack kubernetes": {"1.33.9"}, "pack cni-cilium-oss": {"1.18.3"}, "pack csi-aws-ebs": {"1.57.1"},
	})
	difference := profile.CompareLocks(now, next)
	if len(difference.Layers) != 3 {
		t.Errorf("three layers have new versions, and these differ:\n%s", difference)
	}
	if why := difference.Repave(); len(why) != 1 || why["kubernetes"] == "" {
		t.Errorf("nodes are replaced because of %v, want because of kubernetes alone", why)
	}
}

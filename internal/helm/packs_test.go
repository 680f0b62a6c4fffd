package helm_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/strata-go/strata/internal/helm"
	"github.com/strata-go/strata/internal/manifest"
	"helm.sh/helm/v3/pkg/chart/loader"
	"helm.sh/helm/v3/pkg/chartutil"
	"helm.sh/helm/v3/pkg/engine"
	"helm.sh/helm/v3/pkg/release"
	"helm.sh/helm/v3/pkg/releaseutil"
)

// What we render of real charts, with their own values, is what Helm renders.
func TestPacksAsHelm(t *testing.T) {
	t.Parallel()
	found, _ := filepath.Glob(filepath.Join(packs(t), "*/charts/*.tgz"))
	if len(found) < 100 {
		t.Fatalf("%d charts", len(found))
	}
	// Its Secret has no name without values, which Helm finds out when it
	// installs.
	nameless := regexp.MustCompile(`piraeus-cluster-1\.0\.[01]\.tgz$`)
	for i, path := range found {
		if testing.Short() && i%8 != 0 {
			continue
		}
		name, _ := filepath.Rel(packs(t), path)
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tgz, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			want, wantErr := renderByHelm(tgz)
			c, err := helm.LoadArchive(name, tgz)
			if err != nil {
				t.Fatal(err)
			}
			got, err := c.Render(t.Context(), helm.Request{ReleaseName: "r", Namespace: "ns"})
			if failure := new(manifest.DocumentError); errors.As(err, &failure) && nameless.MatchString(path) {
				return
			}
			if (err != nil) != (wantErr != nil) {
				t.Fatalf("got error %v, Helm has %v", err, wantErr)
			}
			if err == nil {
				compare(t, got, want)
			}
		})
	}
}

func compare(t *testing.T, got *helm.Rendered, want *release.Release) {
	t.Helper()
	if got.Manifest != want.Manifest {
		// Templates that make passwords and certificates never give the same
		// text twice, but they do give as many lines.
		a, b := strings.Split(got.Manifest, "\n"), strings.Split(want.Manifest, "\n")
		if len(a) != len(b) {
			t.Fatalf("%d lines, Helm has %d", len(a), len(b))
		}
		different := 0
		for i := range a {
			if a[i] != b[i] {
				different++
			}
		}
		if different > 50 {
			t.Errorf("%d lines differ", different)
		}
	}
	if got.Notes != want.Info.Notes {
		t.Errorf("notes are %q, Helm has %q", got.Notes, want.Info.Notes)
	}
	var hooks, tests []string
	for _, h := range want.Hooks {
		// Names may be random.
		text := fmt.Sprint(h.Path, h.Kind, h.Events, h.Weight, h.DeletePolicies, h.OutputLogPolicies)
		if slices.Equal(h.Events, []release.HookEvent{release.HookTest}) {
			tests = append(tests, text)
		} else {
			hooks = append(hooks, text)
		}
	}
	equal(t, "hooks", texts(got.Hooks), hooks)
	equal(t, "tests", texts(got.Tests), tests)
}

func texts(hooks []helm.Hook) []string {
	var texts []string
	for _, h := range hooks {
		texts = append(texts, fmt.Sprint(h.Object.Source, h.Object.GetKind(),
			h.Events, h.Weight, h.DeletePolicies, h.LogPolicies))
	}
	return texts
}

// renderByHelm renders as Helm's install action does.
func renderByHelm(tgz []byte) (*release.Release, error) {
	c, err := loader.LoadArchive(bytes.NewReader(tgz))
	if err != nil {
		return nil, err
	}
	if c.Metadata.Type == "library" {
		return nil, errors.New("library")
	}
	caps := chartutil.DefaultCapabilities.Copy()
	caps.KubeVersion = chartutil.KubeVersion{Version: helm.DefaultKubeVersion, Major: "1", Minor: "37"}
	if k := c.Metadata.KubeVersion; k != "" && !chartutil.IsCompatibleRange(k, caps.KubeVersion.Version) {
		return nil, errors.New("kubeVersion")
	}
	if err := chartutil.ProcessDependenciesWithMerge(c, map[string]any{}); err != nil {
		return nil, err
	}
	options := chartutil.ReleaseOptions{Name: "r", Namespace: "ns", Revision: 1, IsInstall: true}
	values, err := chartutil.ToRenderValuesWithSchemaValidation(c, map[string]any{}, options, caps, true)
	if err != nil {
		return nil, err
	}
	files, err := engine.Render(c, values)
	if err != nil {
		return nil, err
	}
	rel := &release.Release{Info: &release.Info{Notes: files[c.Name()+"/templates/NOTES.txt"]}}
	for name := range files {
		if strings.HasSuffix(name, "NOTES.txt") {
			delete(files, name)
		}
	}
	hooks, manifests, err := releaseutil.SortManifests(files, nil, releaseutil.InstallOrder)
	if err != nil {
		return nil, err
	}
	rel.Hooks = hooks
	for _, m := range manifests {
		rel.Manifest += "---\n# Source: " + m.Name + "\n" + m.Content + "\n"
	}
	return rel, nil
}

func TestPackWithRemoteSchema(t *testing.T) {
	t.Parallel()
	c := packChart(t, "nvidia-network-operator-25.10.0/charts/network-operator-25.10.0.tgz")
	r, err := c.Render(t.Context(), helm.Request{ReleaseName: "r", Namespace: "ns"})
	if err != nil {
		t.Fatal(err)
	}
	if len(r.Warnings) == 0 || !strings.Contains(r.Warnings[0], "raw.githubusercontent.com") {
		t.Errorf("warnings are %q", r.Warnings)
	}
}

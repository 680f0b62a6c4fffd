package profile_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/strata-go/strata/internal/realpacks"
	"github.com/strata-go/strata/layer"
	"github.com/strata-go/strata/profile"
)

// The values of real packs can be merged and explained; what is reported are
// values that their schemas ask for.
func TestMergedValuesOfPacks(t *testing.T) {
	t.Parallel()
	folder := realpacks.Dir(t)
	folders, _ := filepath.Glob(filepath.Join(folder, "*", "pack.json"))
	if len(folders) < 190 {
		t.Fatalf("%d packs in %s", len(folders), folder)
	}
	merged, missing := 0, 0
	for i, file := range folders {
		dir := filepath.Dir(file)
		p := &profile.Profile{Name: "x", Version: "1.0.0", Type: profile.AddOn, Layers: []layer.Layer{
			{Name: "x", Source: layer.Source{Pack: &layer.Pack{Name: "a"}}},
		}}
		for _, name := range []string{"NGC_API_KEY", "sedaiBaseUrl", "sedaiApiToken", "clusterProvider"} {
			p.Variables = append(p.Variables, profile.Variable{Name: name, Default: "v"})
		}
		s := &profile.Stack{Profiles: []*profile.Profile{p}, System: map[string]string{
			"kubernetes.version": "1.33.2", "cluster.name": "prod", "cluster.uid": "u", "cluster.kubevip": "10.0.0.1",
		}}
		content := func(layer.Pin) (fs.FS, error) { return os.DirFS(dir), nil }
		d := resolve(t, s)
		if _, err := withContent(d, "x", content); err != nil {
			if !strings.Contains(err.Error(), "required, but not set") {
				t.Errorf("%s: %v", filepath.Base(dir), err)
			}
			missing++
		}
		if i%10 != 0 {
			continue // unpacking all charts takes seconds
		}
		e, err := d.Explain(content, "x", "charts")
		if err != nil {
			t.Errorf("%s: %v", filepath.Base(dir), err)
		} else if e.Set {
			merged++
		}
	}
	t.Logf("%d packs: %d with values of charts, %d that ask for values", len(folders), merged, missing)
}

package pack_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/strata-go/strata/internal/realpacks"
	"github.com/strata-go/strata/pack"
)

// realPacks returns a folder of real packs.
func realPacks(t *testing.T) string {
	t.Helper()
	return realpacks.Dir(t)
}

// Every pack of a public catalogue opens, its settings can be read, and all that
// it names is there, but for those with a real defect.
func TestRealPacks(t *testing.T) {
	t.Parallel()
	dir := realPacks(t)
	defects := map[string]string{
		"haproxy-unified-gateway-1.0.1": `pack.json:12:5: charts[0]: file "charts/gateway-api-crds-1.4.0.tgz": file does not exist`,
	}
	files, err := filepath.Glob(filepath.Join(dir, "*", "pack.json"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no packs in %s: %v", dir, err)
	}
	for _, file := range files {
		folder := filepath.Dir(file)
		name := filepath.Base(folder)
		p, err := pack.Open(os.DirFS(folder))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if err, want := p.Complete(), defects[name]; err == nil && want != "" || err != nil && err.Error() != want {
			t.Errorf("%s: got %v; want %s", name, err, want)
		}
		if _, err := pack.ReadSettings(parse(t, string(p.Values))); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

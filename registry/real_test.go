package registry_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/strata-go/strata/internal/realpacks"
	"github.com/strata-go/strata/pack"
	"github.com/strata-go/strata/registry/registrytest"
)

// Every pack of a public catalogue can be pushed, resolved by its
// exact version, and fetched again with the same files.
func TestRealPacks(t *testing.T) {
	t.Parallel()
	dir := realpacks.Dir(t)
	folders, err := filepath.Glob(filepath.Join(dir, "*", "pack.json"))
	if err != nil || len(folders) != 199 {
		t.Fatalf("%d packs in %s: %v", len(folders), dir, err)
	}
	s := registrytest.New(t)
	client := s.Client()
	for _, file := range folders {
		folder := filepath.Dir(file)
		p, err := pack.Open(os.DirFS(folder))
		if err != nil {
			t.Errorf("%s: %v", folder, err)
			continue
		}
		pushed, err := client.PushPack(t.Context(), "test", os.DirFS(folder))
		if err != nil {
			t.Errorf("%s: %v", folder, err)
			continue
		}
		pin, err := client.Resolve(t.Context(), packRef(p.Name, p.Version))
		if err != nil || pin.Digest != pushed.Digest {
			t.Errorf("%s: got %v, %v; want %s", folder, pin, err, pushed.Digest)
			continue
		}
		got, err := client.Fetch(t.Context(), pin)
		if err != nil {
			t.Errorf("%s: %v", folder, err)
			continue
		}
		if err := equal(got, p.FS()); err != nil {
			t.Errorf("%s: %v", folder, err)
		}
	}
}

// equal reports a file of want that got lacks or has otherwise.
func equal(got, want fs.FS) error {
	return fs.WalkDir(want, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		a, err := fs.ReadFile(want, name)
		if err != nil {
			return err
		}
		b, err := fs.ReadFile(got, name)
		if err == nil && string(a) != string(b) {
			err = fs.ErrInvalid
		}
		return err
	})
}

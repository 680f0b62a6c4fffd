package registry_test

import (
	"encoding/base64"
	"net/http"
	"os"
	"path/filepath"
	"testing"

	"github.com/strata-go/strata/registry/registrytest"
)

// The zero value of the fields takes what the user's Docker configuration and
// cache folder are.
func TestDefaultsFromTheEnvironment(t *testing.T) {
	home := t.TempDir()
	t.Setenv("DOCKER_CONFIG", home)
	t.Setenv("XDG_CACHE_HOME", home) // Linux
	t.Setenv("HOME", home)           // macOS
	s := registrytest.New(t)
	pin := pushPacks(t, s, "p", "1.0.0")
	login := base64.StdEncoding.EncodeToString([]byte("me:hunter2"))
	config := `{"auths": {"` + s.Host + `": {"auth": "` + login + `"}}}`
	if err := os.WriteFile(filepath.Join(home, "config.json"), []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	s.Intercept(basicAuth(func(*http.Request) {}))

	client := s.Client()
	client.Credential = nil
	client.CacheDir = ""
	files, err := client.Fetch(t.Context(), pin)
	if err != nil {
		t.Fatal(err)
	}
	sameFiles(t, files, packFiles("p", "1.0.0"))
	base, err := os.UserCacheDir()
	if err != nil {
		t.Fatal(err)
	}
	client.CacheDir = filepath.Join(base, "strata")
	if left := cached(t, client); len(left) != 2 {
		t.Errorf("in the cache: %q", left)
	}
}

package main

import (
	"os"
	"path/filepath"
	"testing"
)

func TestSchemasAreFresh(t *testing.T) {
	t.Parallel()
	const folder = "../../profile"
	for name, root := range roots {
		want, err := generate(folder, root)
		if err != nil {
			t.Fatal(err)
		}
		got, err := os.ReadFile(filepath.Join(folder, "schema", name))
		if err != nil || string(got) != string(want) {
			t.Errorf("profile/schema/%s is not what the types say (%v); run go generate ./profile", name, err)
		}
	}
}

// Package realpacks finds the folder of real packs that some tests read.
package realpacks

import (
	"os"
	"testing"
)

// variable names the folder: one pack in each of its folders.
const variable = "STRATA_PACKS"

// Dir returns the folder of real packs. Without one the test is skipped, and
// says so. CI names the folder if it has one, so there nothing is skipped.
func Dir(t testing.TB) string {
	t.Helper()
	dir := os.Getenv(variable) //nolint:forbidigo // only tests call it
	if dir == "" {
		t.Skip(variable + " does not name a folder of real packs")
	}
	if _, err := os.Stat(dir); err != nil {
		t.Fatalf("%s: %v", variable, err)
	}
	return dir
}

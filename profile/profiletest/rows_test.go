package profiletest_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/strata-go/strata/profile/profiletest"
)

// What Palette's profiles do, row by row; PALETTE.md is the table.
func TestPaletteRows(t *testing.T) {
	t.Parallel()
	profiletest.Run(t, "../testdata/palette/*.txtar")
}

// The table has every case, and no case that there is not.
func TestPaletteTable(t *testing.T) {
	t.Parallel()
	table, err := os.ReadFile("../PALETTE.md")
	if err != nil {
		t.Fatal(err)
	}
	listed := map[string]bool{}
	for _, link := range regexp.MustCompile(`\((testdata/palette/[^)]*)\)`).FindAllStringSubmatch(string(table), -1) {
		listed[filepath.Base(link[1])] = true
		if _, err := os.Stat(filepath.Join("..", link[1])); strings.HasSuffix(link[1], ".txtar") && err != nil {
			t.Errorf("PALETTE.md names a case that there is not: %v", err)
		}
	}
	files, err := filepath.Glob("../testdata/palette/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatal(err)
	}
	for _, file := range files {
		if !listed[filepath.Base(file)] {
			t.Errorf("PALETTE.md does not name the case %s", filepath.Base(file))
		}
	}
}

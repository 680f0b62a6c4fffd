package profiletest

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/strata-go/strata/internal/txtar"
)

// update is a flag of the test binary, as is usual for files that tests write.
var update = flag.Bool("update", false, "write what the cases of profiletest want anew") //nolint:gochecknoglobals // the flags of a test binary are

// wanted is the folder of what a case wants.
const wanted = "want/"

// Run runs each file that matches the pattern as a test case of its own, in
// parallel. The stacks of those that want no error are checked against the
// policies.
//
// The package defines the flag -update for the test binary.
func Run(t *testing.T, pattern string, policies ...Policy) {
	t.Helper()
	files, err := filepath.Glob(pattern)
	if err != nil || len(files) == 0 {
		t.Fatalf("no case matches %s (%v)", pattern, err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			t.Parallel()
			runFile(t, file, policies)
		})
	}
}

func runFile(t *testing.T, file string, policies []Policy) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	archive := txtar.Parse(strings.ReplaceAll(string(text), "\r\n", "\n"))
	o, err := resolve(t.Context(), archive)
	if e, ok := errors.AsType[caseError](err); ok {
		t.Fatalf("%s: %v", file, e)
	}
	if o.desired != nil {
		Check(t, o.desired, policies...)
	}
	got := o.wanted(archive, err, *update)
	if !*update {
		compare(t, file, archive, got)
		return
	}
	archive.Files = slices.DeleteFunc(archive.Files, func(f txtar.File) bool {
		return strings.HasPrefix(f.Name, wanted) && !slices.ContainsFunc(got, func(g txtar.File) bool { return g.Name == f.Name })
	})
	for _, g := range got {
		archive.Set(g.Name, g.Data)
	}
	out, err := archive.Format()
	if err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	if out == string(text) {
		return
	}
	if err := os.WriteFile(file, []byte(out), 0o644); err != nil { //nolint:gosec // a source file
		t.Fatal(err)
	}
}

// compare reports the files that are not as the case wants them.
func compare(t testing.TB, file string, archive *txtar.Archive, got []txtar.File) {
	t.Helper()
	seen := map[string]bool{}
	for _, g := range got {
		seen[g.Name] = true
		want, ok := archive.Get(g.Name)
		if !ok && g.Name == wanted+"error" {
			t.Errorf("%s: no error is wanted, and there is one:\n%s", file, g.Data)
			return // what there would be without it is not known
		}
		if !ok {
			t.Errorf("%s: %s is not wanted:\n%s", file, g.Name, g.Data)
		} else if want != g.Data {
			t.Errorf("%s: %s:\n%s", file, g.Name, difference(want, g.Data))
		}
	}
	missing := true
	for _, f := range archive.Files {
		if !strings.HasPrefix(f.Name, wanted) {
			continue
		}
		missing = false
		if !seen[f.Name] {
			t.Errorf("%s: %s is wanted, and there is none", file, f.Name)
		}
	}
	if missing {
		t.Errorf("%s wants nothing; run the test with -update and look at what it writes", file)
	}
}

// difference shows the lines that two texts do not share, without those that
// both begin or end with.
func difference(want, got string) string {
	a, b := strings.SplitAfter(want, "\n"), strings.SplitAfter(got, "\n")
	same := 0
	for same < min(len(a), len(b)) && a[same] == b[same] {
		same++
	}
	a, b = a[same:], b[same:]
	for len(a) > 0 && len(b) > 0 && a[len(a)-1] == b[len(b)-1] {
		a, b = a[:len(a)-1], b[:len(b)-1]
	}
	var s strings.Builder
	fmt.Fprintf(&s, "from line %d (- is wanted, + is there)\n", same+1)
	for _, side := range []struct {
		sign  string
		lines []string
	}{{"- ", a}, {"+ ", b}} {
		for _, line := range side.lines {
			if line != "" {
				s.WriteString(side.sign + strings.TrimSuffix(line, "\n") + "\n")
			}
		}
	}
	return s.String()
}

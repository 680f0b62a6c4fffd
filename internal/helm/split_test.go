package helm_test

import (
	"fmt"
	"testing"

	"github.com/strata-go/strata/internal/helm"
	"helm.sh/helm/v3/pkg/releaseutil"
)

// Texts are cut exactly where Helm cuts them.
func FuzzSplitManifests(f *testing.F) {
	for _, text := range []string{
		"", "---", "a", "---a", "a\n---\nb", "a\n---\n---\nb", "\n\n---\n a: 1\n \t\n---   \nb\n---", "a ---\nb\r\n--- # c\r\nd",
		"---\n---\n---\n", "a\n----\nb", "a\n\v---\nb", "a: |\n  x\n  ---\nb", "\u00a0\n---\na\u00a0\n\n---b\f---",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		parts := releaseutil.SplitManifests(text)
		var want []string
		for i := range len(parts) {
			want = append(want, parts[fmt.Sprintf("manifest-%d", i)])
		}
		equal(t, "parts", helm.SplitManifests(text), want)
	})
}

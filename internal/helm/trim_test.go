package helm_test

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
	"testing"

	"github.com/strata-go/strata/internal/helm"
)

// noise is a text that cannot be compressed to less than half.
func noise(seed string, size int) string {
	var b strings.Builder
	for sum := sha256.Sum256([]byte(seed)); b.Len() < size; sum = sha256.Sum256(sum[:]) {
		b.WriteString(hex.EncodeToString(sum[:]))
	}
	return b.String()
}

func TestRecordIsTrimmed(t *testing.T) {
	t.Parallel()
	const much = 3 << 20
	large := func(names ...string) string {
		var docs []string
		for _, n := range names {
			docs = append(docs, fmt.Sprintf("---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: %s}\ndata: {text: %s}\n", n, noise(n, much/len(names))))
		}
		return strings.Join(docs, "")
	}
	for name, tt := range map[string]struct {
		change func(*helm.Record)
		want   string
	}{
		"as it is": {func(*helm.Record) {}, "Upgrade complete"},
		"notes":    {func(r *helm.Record) { r.Notes = noise("n", much) }, "Upgrade complete; too large for a record, hence left out: notes"},
		"manifest": {func(r *helm.Record) { r.Manifest = large("a", "b", "c") }, "Upgrade complete; too large for a record, hence left out: notes, the chart's values, manifest"},
		"values": {func(r *helm.Record) { r.Values = map[string]any{"a": noise("v", much)} },
			"Upgrade complete; too large for a record, hence left out: notes, the chart's values, manifest, values"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := record(t)
			tt.change(&r)
			secret := secretOf(t, r)
			if size := len(secret.Data["release"]); size > 1<<20 {
				t.Errorf("the record has %d bytes", size)
			}
			got, err := helm.ReadRecord(toUnstructured(t, secret))
			if err != nil || got.Description != tt.want || len(got.Hooks) != 2 {
				t.Fatalf("got %q and %d hooks, %v; want %q and the hooks", got.Description, len(got.Hooks), err, tt.want)
			}
			if name == "manifest" && (!strings.Contains(got.Manifest, "ManifestTooLargeForRecord") || !strings.Contains(got.Manifest, "#   ")) {
				t.Errorf("the manifest is %s", got.Manifest)
			}
			changed, err := helm.SetStatus(toUnstructured(t, secret), helm.StatusChange{Status: helm.StatusFailed, Description: "it broke"})
			if err != nil {
				t.Fatal(err)
			}
			if got, err = helm.ReadRecord(changed); err != nil || got.Description != "it broke"+strings.TrimPrefix(tt.want, "Upgrade complete") {
				t.Errorf("with another status it says %q, %v", got.Description, err)
			}
		})
	}
}

package redact

import (
	"encoding/base64"
	"strings"
	"testing"
)

func TestString(t *testing.T) {
	t.Parallel()
	const secret, longer = "hunter2", "hunter2-and-more"
	r := New([]string{secret, longer, secret, "ab", ""})
	got := r.String("a " + secret + " b " + longer + " c " + base64.StdEncoding.EncodeToString([]byte(secret)) + " ab")
	if strings.Contains(got, "hunter2") || strings.Contains(got, "more") || strings.Contains(got, "aHVudGVy") {
		t.Errorf("String leaves %q", got)
	}
	if !strings.HasSuffix(got, " ab") {
		t.Errorf("String takes short words away: %q", got)
	}
	words := strings.Fields(strings.NewReplacer("(", "", ")", "", "sensitive ", "").Replace(got))
	if words[1] != words[5] || words[1] == words[3] {
		t.Errorf("equal secrets must look equal and others not: %q", got)
	}
	if other := New([]string{secret}).String(secret); other == r.String(secret) {
		t.Error("two Redactors use one key")
	}
}

func TestZeroRedactor(t *testing.T) {
	t.Parallel()
	if got := (Redactor{}).String("text"); got != "text" {
		t.Errorf("String = %q", got)
	}
	if got := New(nil).String("text"); got != "text" {
		t.Errorf("String = %q", got)
	}
}

package nearest

import "testing"

func TestName(t *testing.T) {
	t.Parallel()
	fields := []string{"name", "namespace", "installOrder", "values", "pack", "helm"}
	for _, tt := range []struct{ name, want string }{
		{"namspace", "namespace"},
		{"nameSpace", "namespace"},
		{"vlaues", "values"},
		{"pakc", "pack"},
		{"installorder", "installOrder"},
		{"nmae", "name"},
		{"replicas", ""},
		{"x", ""},
		{"", ""},
	} {
		if got := Name(tt.name, fields); got != tt.want {
			t.Errorf("Name(%q) = %q, want %q", tt.name, got, tt.want)
		}
	}
}

func TestHint(t *testing.T) {
	t.Parallel()
	if got, want := Hint("vaules", []string{"values"}), `, did you mean "values"?`; got != want {
		t.Errorf("Hint = %q, want %q", got, want)
	}
	if got := Hint("other", []string{"values"}); got != "" {
		t.Errorf("Hint = %q, want none", got)
	}
}

package profile_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/strata-go/strata/profile"
)

// A state is made again from its snapshot alone, whatever became of the stack.
func TestSnapshot(t *testing.T) {
	t.Parallel()
	s := stackOf(t, "s3cr3t-token")
	s.System = map[string]string{"cluster.name": "prod"}
	s.Macros.Tenant = map[string]string{"team": "blue"}
	d, err := s.Resolve(t.Context(), world, nil)
	if err != nil {
		t.Fatal(err)
	}
	want := d.Digest()
	s.Variables["token"] = "another"
	s.Profiles[0].Version = "9.9.9"
	s.Profiles[0].Layers[0].Values = "changed: true\n"
	data, err := d.Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	again, err := profile.Restore(t.Context(), data)
	if err != nil {
		t.Fatal(err)
	}
	if again.Digest() != want {
		t.Errorf("the digest is %s, want %s", again.Digest(), want)
	}
	if got, want := format(t, again.Lock()), format(t, d.Lock()); got != want {
		t.Errorf("the lock is\n%s\nwant\n%s", got, want)
	}
	if shown := again.Redact("it is s3cr3t-token"); strings.Contains(shown, "s3cr3t") {
		t.Errorf("the sensitive value is shown: %s", shown)
	}
	if twice, err := again.Snapshot(); err != nil || !bytes.Equal(twice, data) {
		t.Errorf("the snapshot of what was restored is\n%s, %v\nwant\n%s", twice, err, data)
	}
}

func TestRestoreErrors(t *testing.T) {
	t.Parallel()
	for name, data := range map[string]string{
		"no JSON": "{", "no format": "{}", "a newer format": `{"formatVersion": 99}`,
	} {
		if _, err := profile.Restore(t.Context(), []byte(data)); !errors.Is(err, profile.ErrSyntax) {
			t.Errorf("%s: error = %v, want ErrSyntax", name, err)
		}
	}
	if _, err := profile.Restore(t.Context(), []byte(`{"formatVersion": 1}`)); !errors.Is(err, profile.ErrInvalid) {
		t.Errorf("without profiles: error = %v, want ErrInvalid", err)
	}
}

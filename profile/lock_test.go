package profile_test

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/opencontainers/go-digest"

	"github.com/strata-go/strata/layer"
	"github.com/strata-go/strata/profile"
)

var writeSamples = flag.Bool("write-lock-sample", false, "write the sample of the present lock format")

// stackOf composes the two test profiles for a cluster with a token.
func stackOf(t *testing.T, token string) *profile.Stack {
	t.Helper()
	s, err := profile.Compose(parse(t, infra), parse(t, addon))
	if err != nil {
		t.Fatal(err)
	}
	s.Variables = map[string]string{"token": token}
	s.LockKey = []byte("key")
	return s
}

func lockOf(t *testing.T, s *profile.Stack, r profile.Resolver) *profile.Lock {
	t.Helper()
	d, err := s.Resolve(t.Context(), r, nil)
	if err != nil {
		t.Fatal(err)
	}
	return d.Lock()
}

func format(t *testing.T, l *profile.Lock) string {
	t.Helper()
	data, err := l.Format()
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// Locks that were written once are read for ever. A sample that does not parse
// any more is a broken promise, not an old sample.
func TestLockSamples(t *testing.T) {
	t.Parallel()
	present := format(t, lockOf(t, stackOf(t, "s3cr3t-token"), world))
	const newest = "testdata/lock/2-values-and-variables.json"
	if *writeSamples {
		if err := os.WriteFile(newest, []byte(present), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	samples, err := filepath.Glob("testdata/lock/*.json")
	if err != nil || len(samples) < 2 {
		t.Fatalf("samples are %v, %v", samples, err)
	}
	for _, name := range samples {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		lock, err := profile.ParseLock(data)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		d, err := stackOf(t, "s3cr3t-token").Restore(t.Context(), lock)
		if err != nil {
			t.Errorf("%s does not restore its stack: %v", name, err)
			continue
		}
		if name == newest && format(t, lock) != string(data) {
			t.Errorf("%s is not canonical any more", name)
		}
		if got := d.Layers()[1].Pin.Resolved; got != "1.33.2" {
			t.Errorf("%s pins kubernetes %s", name, got)
		}
	}
	if data, err := os.ReadFile(newest); err != nil || string(data) != present {
		t.Errorf("the lock is now\n%s\nIf a field was added, keep this sample and write another.", present)
	}
}

func TestLockHoldsNoSecrets(t *testing.T) {
	t.Parallel()
	const secret = "s3cr3t-token"
	with := stackOf(t, secret)
	text := format(t, lockOf(t, with, world))
	if strings.Contains(text, secret) || strings.Contains(text, digest.FromString(secret).Encoded()) {
		t.Errorf("the lock tells the secret:\n%s", text)
	}
	if format(t, lockOf(t, stackOf(t, secret), world)) != text {
		t.Error("the lock is not stable")
	}
	if format(t, lockOf(t, stackOf(t, "another"), world)) == text {
		t.Error("another secret does not change the lock")
	}
	with.LockKey = []byte("other")
	if format(t, lockOf(t, with, world)) == text {
		t.Error("the hash has no key")
	}
	with.LockKey = nil
	bare := stackOf(t, "another")
	bare.LockKey = nil
	if format(t, lockOf(t, with, world)) != format(t, lockOf(t, bare, world)) {
		t.Error("without a key the lock depends on the secret")
	}
}

// list is a resolver that takes the newest of several versions.
type list map[string][]string // newest first

func (l list) Versions(_ context.Context, ref layer.Ref) ([]string, error) {
	var fit []string
	prefix := strings.TrimSuffix(strings.TrimLeft(ref.Version, "~^"), "x")
	for _, v := range l[ref.Name] {
		if strings.HasPrefix(v, prefix) {
			fit = append(fit, v)
		}
	}
	if fit == nil {
		return nil, layer.ErrNoVersion
	}
	return fit, nil
}

func (l list) Resolve(ctx context.Context, ref layer.Ref) (layer.Pin, error) {
	fit, err := l.Versions(ctx, ref)
	if err != nil {
		return layer.Pin{}, err
	}
	return layer.Pin{Ref: ref, Repository: "oci://test/" + ref.Name, Resolved: fit[0], Digest: digest.FromString(ref.Name + fit[0])}, nil
}

func TestUpdate(t *testing.T) {
	t.Parallel()
	later := list{"ubuntu": {"22.4.7"}, "kubernetes": {"1.33.9", "1.33.2"}, "calico": {"4.0.0", "3.31.0", "3.30.2", "3.30.0"}, "nfs": {"1.10.9"}, "web": {"5.1.0"}}
	lock := lockOf(t, stackOf(t, "abc"), world)
	for _, tt := range []struct {
		name   string
		update *profile.Update
		want   string
	}{
		{"nothing", nil, "22.4.1 1.33.2 3.30.0 1.10.4 5.0.0"},
		{"all", &profile.Update{}, "22.4.7 1.33.9 4.0.0 1.10.9 5.1.0"},
		{"one layer", &profile.Update{Layers: []string{"calico"}}, "22.4.1 1.33.2 4.0.0 1.10.4 5.0.0"},
		{"patches", &profile.Update{PatchOnly: true}, "22.4.7 1.33.9 3.30.2 1.10.9 5.0.0"},
		{"patches of two layers", &profile.Update{PatchOnly: true, Layers: []string{"calico", "web"}}, "22.4.1 1.33.2 3.30.2 1.10.4 5.0.0"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := stackOf(t, "abc")
			d, err := s.Resolve(t.Context(), later, lock)
			if tt.update != nil {
				d, err = s.Update(t.Context(), later, lock, *tt.update)
			}
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, l := range d.Layers() {
				if !l.Pin.Zero() {
					got = append(got, l.Pin.Resolved)
				}
				if l.Ref() != l.Pin.Ref {
					t.Errorf("the pin of %s is for %s", l.Name, l.Pin.Ref)
				}
			}
			if strings.Join(got, " ") != tt.want {
				t.Errorf("versions are %v, want %s", got, tt.want)
			}
		})
	}
	if _, err := stackOf(t, "abc").Update(t.Context(), later, lock, profile.Update{Layers: []string{"calcio"}}); err == nil || !strings.Contains(err.Error(), `no layer "calcio" to update, did you mean "calico"?`) {
		t.Errorf("error = %v", err)
	}
	if _, err := stackOf(t, "abc").Update(t.Context(), world, lock, profile.Update{PatchOnly: true}); !errors.Is(err, profile.ErrLock) {
		t.Errorf("a resolver that lists nothing gives %v", err)
	}
}

func TestRestoreRefuses(t *testing.T) {
	t.Parallel()
	lock := lockOf(t, stackOf(t, "abc"), world)
	for _, tt := range []struct {
		name   string
		change func(s *profile.Stack)
		want   string // "" if it fits
	}{
		{"nothing", func(*profile.Stack) {}, ""},
		{"another secret", func(s *profile.Stack) { s.Variables["token"] = "abd" }, "variable token changed"},
		{"another variable", func(s *profile.Stack) { s.Variables["replicas"] = "3" }, "variable replicas changed"},
		{"other values", func(s *profile.Stack) { s.Overrides = []profile.Override{{Layer: "web", Values: "a: 1"}} }, "layer web changed (values)"},
		{"another constraint", func(s *profile.Stack) { s.Overrides = []profile.Override{{Layer: "web", Version: "5.x"}} }, `layer "web": the lock does not pin helm web@5.x`},
		{"a profile more", func(s *profile.Stack) { s.Profiles = append(s.Profiles, addOn("more", manifests("m", "a: 1"))) }, "profile more added, layer m added"},
		{"a profile less", func(s *profile.Stack) { s.Profiles, s.Variables = s.Profiles[:1], nil }, "profile apps removed"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := stackOf(t, "abc")
			tt.change(s)
			_, err := s.Restore(t.Context(), lock)
			if tt.want == "" && err != nil || tt.want != "" && (!errors.Is(err, profile.ErrLock) || !strings.Contains(err.Error(), tt.want)) {
				t.Errorf("error = %v, want %q", err, tt.want)
			}
		})
	}
}

func TestOutdated(t *testing.T) {
	t.Parallel()
	lock := lockOf(t, stackOf(t, "abc"), world)
	known := list{
		"ubuntu": {"22.4.1"}, "kubernetes": {"1.34.1", "1.34.0", "1.33.9", "1.33.2"}, "calico": {"4.0.0", "3.31.0", "3.30.0"},
		"nfs": {"1.10.4", "1.10.1"}, "web": {"6.0.0-rc.1", "5.0.0"},
	}
	got, err := profile.Outdated(t.Context(), known, lock)
	if err != nil {
		t.Fatal(err)
	}
	want := []profile.Newer{
		{Layer: "k8s", Source: "kubernetes", Current: "1.33.2", Patch: "1.33.9", Minor: "1.34.1", Allowed: "1.33.9"},
		{Layer: "calico", Source: "calico", Current: "3.30.0", Minor: "3.31.0", Major: "4.0.0", Allowed: "4.0.0"},
	}
	if len(got) != len(want) || got[0] != want[0] || got[1] != want[1] {
		t.Errorf("outdated are %+v\nwant         %+v", got, want)
	}
	failing := failingLister{list: maps.Clone(known)}
	got, err = profile.Outdated(t.Context(), failing, lock)
	if !errors.Is(err, layer.ErrUnavailable) || len(got) != 1 {
		t.Errorf("outdated are %+v, %v; want one and an error that says what is missing", got, err)
	}
}

type failingLister struct{ list }

func (l failingLister) Versions(ctx context.Context, ref layer.Ref) ([]string, error) {
	if ref.Name == "calico" {
		return nil, layer.ErrUnavailable
	}
	return l.list.Versions(ctx, ref)
}

func FuzzParseLock(f *testing.F) {
	samples, err := filepath.Glob("testdata/lock/*.json")
	if err != nil {
		f.Fatal(err)
	}
	for _, name := range samples {
		data, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		lock, err := profile.ParseLock(data)
		if err != nil {
			return
		}
		text := format(t, lock)
		again, err := profile.ParseLock([]byte(text))
		if err != nil {
			t.Fatalf("what Format writes does not parse: %v\n%s", err, text)
		}
		if !bytes.Equal([]byte(format(t, again)), []byte(text)) || !profile.CompareLocks(lock, again).Empty() {
			t.Error("Format is not canonical")
		}
	})
}

// The pins of a lock are what there is to fetch: each once, and no manifests.
func TestLockPins(t *testing.T) {
	t.Parallel()
	pack := layer.Pin{Ref: layer.Ref{Format: layer.FormatPack, Name: "a"}, Digest: digest.FromString("a")}
	from := layer.Pin{Ref: layer.Ref{Format: layer.FormatProfile, Name: "p"}, Digest: digest.FromString("p")}
	lock := profile.Lock{
		Profiles: []profile.LockedProfile{{}, {Source: from}},
		Layers:   []profile.LockedLayer{{Pin: layer.Pin{Ref: layer.Ref{Format: layer.FormatManifests, Name: "m"}, Digest: digest.FromString("m")}}, {Pin: pack}, {Pin: pack}},
	}
	if got := lock.Pins(); len(got) != 2 || got[0] != pack || got[1] != from {
		t.Errorf("the pins are %v, want %v and %v", got, pack, from)
	}
}

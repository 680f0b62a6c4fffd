package profile_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/opencontainers/go-digest"

	"github.com/strata-go/strata/layer"
	"github.com/strata-go/strata/profile"
)

// anything is a resolver that knows one version of everything.
type anything struct{}

func (anything) Resolve(_ context.Context, ref layer.Ref) (layer.Pin, error) {
	return layer.Pin{Ref: ref, Repository: "oci://test/" + ref.Name, Resolved: "1.0.0", Digest: digest.FromString(ref.String())}, nil
}

const properties = 200 // random cases for each property

// stack makes a stack of profiles that go together.
func (g generator) stack() *profile.Stack {
	s := &profile.Stack{
		Variables: map[string]string{}, LockKey: []byte("key"), System: map[string]string{"cluster.name": "c1"},
		Macros: profile.Macros{Project: map[string]string{"x": "y"}},
	}
	for i := range 1 + g.IntN(5) {
		p := g.profile()
		p.Name = fmt.Sprintf("p%d", i)
		for j := range p.Layers {
			p.Layers[j].Name = fmt.Sprintf("%s-%s", p.Name, p.Layers[j].Name)
			if m := p.Layers[j].Manifests; m != nil {
				m.Inline[0].Content = "a: {{ .spectro.macro.x }}" // not every text is YAML, which macros need
			}
		}
		for j := range p.Variables {
			p.Variables[j].Name = fmt.Sprintf("%s-%s", p.Name, p.Variables[j].Name)
		}
		s.Profiles = append(s.Profiles, p)
	}
	return s
}

func TestOrderOfAddOnsDoesNotMatter(t *testing.T) {
	t.Parallel()
	for seed := range uint64(properties) {
		g := generator{rand.New(rand.NewPCG(seed, 2))}
		s := g.stack()
		var first string
		for range 3 {
			g.Shuffle(len(s.Profiles), func(i, j int) { s.Profiles[i], s.Profiles[j] = s.Profiles[j], s.Profiles[i] })
			d, err := s.Resolve(t.Context(), anything{}, nil)
			if err != nil {
				t.Fatalf("seed %d: %v", seed, err)
			}
			got := d.Digest().String() + format(t, d.Lock())
			if first == "" {
				first = got
			}
			if got != first {
				t.Fatalf("seed %d: the state depends on the order of profiles:\n%s\n%s", seed, first, got)
			}
		}
	}
}

func TestALockLeadsToItself(t *testing.T) {
	t.Parallel()
	for seed := range uint64(properties) {
		s := generator{rand.New(rand.NewPCG(seed, 3))}.stack()
		d, err := s.Resolve(t.Context(), anything{}, nil)
		if err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		text := format(t, d.Lock())
		lock, err := profile.ParseLock([]byte(text))
		if err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		again, err := s.Restore(t.Context(), lock)
		if err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		if format(t, again.Lock()) != text || again.Digest() != d.Digest() {
			t.Fatalf("seed %d: the lock\n%s\nleads to\n%s", seed, text, format(t, again.Lock()))
		}
		if diff := profile.CompareLocks(lock, again.Lock()); !diff.Empty() || diff.String() != "" {
			t.Fatalf("seed %d: equal locks differ: %s", seed, diff)
		}
	}
}

func TestADifferenceLeadsFromOneToTheOther(t *testing.T) {
	t.Parallel()
	for seed := range uint64(properties) {
		g := generator{rand.New(rand.NewPCG(seed, 4))}
		a, b := g.profile(), g.profile()
		b.Version = "1.3.0"
		for i := range b.Layers { // so that not all of it differs
			if i < len(a.Layers) && g.IntN(2) == 0 {
				b.Layers[i] = a.Layers[i]
			}
		}
		if d := profile.Compare(a, a); !d.Empty() || d.String() != "" {
			t.Fatalf("seed %d: a profile differs from itself: %s", seed, d)
		}
		d := profile.Compare(a, b)
		made, err := d.Apply(a)
		if err != nil || !same(made, b) {
			t.Fatalf("seed %d: %v\n%s\nmakes\n%+v\nwant\n%+v", seed, err, d, made, b)
		}
		if !profile.Compare(made, b).Empty() || made.Digest() != b.Digest() {
			t.Fatalf("seed %d: what the difference makes differs", seed)
		}
		if a.Digest() == b.Digest() {
			t.Fatalf("seed %d: two versions have one digest", seed)
		}
	}
}

func TestMergeOverrideKeepsWhatOnlyOneChanged(t *testing.T) {
	t.Parallel()
	for seed := range uint64(properties) {
		g := generator{rand.New(rand.NewPCG(seed, 5))}
		base, other := g.document(), g.document()
		for _, docs := range [][3]string{{base, base, other}, {base, other, base}, {base, other, other}} {
			got, conflicts, err := profile.MergeOverride(docs[0], docs[1], docs[2])
			want := other
			if other == "" || other == "null\n" || profile.ValuesDigest(other) == profile.ValuesDigest("") || profile.ValuesDigest(other) == profile.ValuesDigest("null") {
				want = "{}"
			}
			if err != nil || len(conflicts) > 0 || profile.ValuesDigest(got) != profile.ValuesDigest(want) {
				t.Fatalf("seed %d: merging %q gives %q, %v, %v; want %q", seed, docs, got, conflicts, err, want)
			}
		}
	}
}

func FuzzMergeOverride(f *testing.F) {
	f.Add(baseValues, "replicas: 3", "a: {{ .spectro.var.x }}")
	f.Add("a: &x {b: 1}\nc: *x\n", "a: null", "")
	f.Fuzz(func(t *testing.T, base, mine, theirs string) {
		merged, conflicts, err := profile.MergeOverride(base, mine, theirs)
		if err != nil {
			return
		}
		if len(conflicts) > 0 {
			if merged != "" {
				t.Error("a merge with conflicts gives a document")
			}
			return
		}
		if _, _, err := profile.MergeOverride(merged, merged, merged); err != nil {
			t.Errorf("merging %q, %q, %q gives %q: %v", base, mine, theirs, merged, err)
		}
	})
}

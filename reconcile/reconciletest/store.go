package reconciletest

import (
	"bytes"
	"errors"
	"strings"
	"sync"
	"testing"

	"github.com/strata-go/strata/reconcile"
)

// TestStore tests that stores do what [reconcile.Store] promises. Each call of
// open returns an empty store, or the same one, whose records the test removes.
func TestStore(t *testing.T, open func(t *testing.T) reconcile.Store) {
	t.Run("missing", func(t *testing.T) {
		s := open(t)
		if data, version, err := s.Load(t.Context(), "missing"); len(data) > 0 || version != "" || err != nil {
			t.Errorf("Load of a missing record = %q, %q, %v; want none", data, version, err)
		}
		if err := s.Delete(t.Context(), "missing"); err != nil {
			t.Errorf("Delete of a missing record = %v", err)
		}
		if _, err := s.Save(t.Context(), "missing", []byte("x"), "17"); !errors.Is(err, reconcile.ErrChanged) {
			t.Errorf("Save of a missing record as version 17 = %v, want ErrChanged", err)
		}
	})
	t.Run("life", func(t *testing.T) {
		s := open(t)
		large := bytes.Repeat([]byte("0123456789abcdef"), 200_000) // 3.2 MB: more than one object holds
		for i, data := range [][]byte{[]byte("first"), large, []byte("small again"), {0, 255, 10}} {
			save(t, s, "life", data)
			if got, _, err := s.Load(t.Context(), "life"); err != nil || !bytes.Equal(got, data) {
				t.Fatalf("%d: Load returns %d bytes, %v; want the %d saved", i, len(got), err, len(data))
			}
		}
		if err := s.Delete(t.Context(), "life"); err != nil {
			t.Fatal(err)
		}
		if data, version, err := s.Load(t.Context(), "life"); len(data) > 0 || version != "" || err != nil {
			t.Errorf("Load after Delete = %q, %q, %v; want none", data, version, err)
		}
	})
	t.Run("apart", func(t *testing.T) {
		s := open(t)
		save(t, s, "one", []byte("1"))
		save(t, s, "two", []byte("2"))
		if err := s.Delete(t.Context(), "one"); err != nil {
			t.Fatal(err)
		}
		if data, _, err := s.Load(t.Context(), "two"); err != nil || string(data) != "2" {
			t.Errorf("Load = %q, %v after another record was deleted", data, err)
		}
		if err := s.Delete(t.Context(), "two"); err != nil {
			t.Fatal(err)
		}
	})
	t.Run("compare and swap", func(t *testing.T) { testSwap(t, open(t)) })
}

func save(t *testing.T, s reconcile.Store, name string, data []byte) {
	t.Helper()
	_, version, err := s.Load(t.Context(), name)
	if err != nil {
		t.Fatal(err)
	}
	next, err := s.Save(t.Context(), name, data, version)
	if err != nil || next == "" || next == version {
		t.Fatalf("Save = %q, %v; want a version after %q", next, err, version)
	}
}

// testSwap has writers count together: no count is lost, as each that is told
// to have lost counts again.
func testSwap(t *testing.T, s reconcile.Store) {
	const writers, each = 4, 5
	var wg sync.WaitGroup
	for range writers {
		wg.Go(func() {
			for done := 0; done < each; {
				data, version, err := s.Load(t.Context(), "count")
				if err != nil {
					t.Error(err)
					return
				}
				_, err = s.Save(t.Context(), "count", append(data, 'x'), version)
				switch {
				case err == nil:
					done++
				case !errors.Is(err, reconcile.ErrChanged):
					t.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
	data, version, err := s.Load(t.Context(), "count")
	if err != nil {
		t.Fatal(err)
	}
	if want := strings.Repeat("x", writers*each); string(data) != want {
		t.Errorf("%d writers of %d counts each leave %q", writers, each, data)
	}
	if _, err := s.Save(t.Context(), "count", nil, version+"0"); !errors.Is(err, reconcile.ErrChanged) {
		t.Errorf("Save as another version = %v, want ErrChanged", err)
	}
	if err := s.Delete(t.Context(), "count"); err != nil {
		t.Fatal(err)
	}
}

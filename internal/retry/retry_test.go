package retry

import (
	"context"
	"errors"
	"testing"
	"time"
)

func TestNext(t *testing.T) {
	t.Parallel()
	b := Backoff{First: time.Second, Longest: 5 * time.Second}
	for i, most := range []time.Duration{1, 2, 4, 5, 5} {
		most *= time.Second
		if d := b.next(); d > most || d < most*4/5 {
			t.Errorf("wait %d is %s, want %s less up to a fifth", i, d, most)
		}
	}
	b.Reset()
	if d := b.next(); d > time.Second {
		t.Errorf("first wait after Reset is %s", d)
	}
	var zero Backoff
	for range 100 {
		if d := zero.next(); d <= 0 || d > 10*time.Second {
			t.Fatalf("wait of the zero Backoff is %s", d)
		}
	}
}

func TestWaitEndsWithContext(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	b := Backoff{First: time.Hour, Longest: time.Hour}
	if err := b.Wait(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("Wait = %v, want context.Canceled", err)
	}
}

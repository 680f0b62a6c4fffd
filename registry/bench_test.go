package registry_test

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/strata-go/strata/layer"
	"github.com/strata-go/strata/registry/registrytest"
)

const benchLayers = 100

// benchPins pushes some layers' worth of packs, quickly, and then makes the
// registry slow.
func benchPins(b *testing.B, latency time.Duration) (*registrytest.Server, []layer.Pin) {
	b.Helper()
	fast := registrytest.New(b)
	var pins []layer.Pin
	for i := range benchLayers {
		pin, err := fast.Client().PushPack(b.Context(), fast.URL, packFiles(fmt.Sprintf("p%d", i), "1.0.0"))
		if err != nil {
			b.Fatal(err)
		}
		pins = append(pins, pin)
	}
	fast.Inject(registrytest.Fault{Times: -1, Delay: latency})
	return fast, pins
}

// BenchmarkResolveTogether resolves 100 layers in a registry with 20 ms latency all at
// once, and reports the share of the time that they take one by one.
func BenchmarkResolveTogether(b *testing.B) {
	s, pins := benchPins(b, 20*time.Millisecond)
	client := s.Client()
	resolve := func(pin layer.Pin) {
		if _, err := client.Resolve(b.Context(), packRef(pin.Name, "1.x")); err != nil {
			b.Error(err)
		}
	}
	start := time.Now()
	for _, pin := range pins {
		resolve(pin)
	}
	baseline := time.Since(start)
	b.Run("concurrent", func(b *testing.B) {
		for b.Loop() {
			var wg sync.WaitGroup
			for _, pin := range pins {
				wg.Go(func() { resolve(pin) })
			}
			wg.Wait()
		}
		b.ReportMetric(float64(b.Elapsed())/float64(b.N)/float64(baseline), "ratio")
	})
}

// BenchmarkFetch fetches 100 pinned layers, as with a lock, and reports the
// requests that this makes, and the share of the time that it takes with an
// empty cache.
func BenchmarkFetch(b *testing.B) {
	s, pins := benchPins(b, 20*time.Millisecond)
	client := s.Client()
	fetch := func() {
		for _, pin := range pins {
			if _, err := client.Fetch(b.Context(), pin); err != nil {
				b.Error(err)
			}
		}
	}
	start := time.Now()
	fetch()
	baseline := time.Since(start)
	b.Run("warm", func(b *testing.B) {
		before := s.Requests()
		for b.Loop() {
			fetch()
		}
		requests := s.Requests() - before
		b.ReportMetric(float64(b.Elapsed())/float64(b.N)/float64(baseline), "ratio")
		b.ReportMetric(float64(requests)/float64(b.N), "requests/op")
		if requests != 0 {
			b.Errorf("%d requests with a warm cache", requests)
		}
	})
}

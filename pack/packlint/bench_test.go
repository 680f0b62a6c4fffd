package packlint_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"sync"
	"testing"
	"time"

	"github.com/strata-go/strata/internal/realpacks"
	"github.com/strata-go/strata/pack/packlint"
)

// BenchmarkMemory compares the memory that checking all real packs takes, one
// after the other, with what the one takes that needs the most: the ratio is
// near 1 if nothing is kept, and near the number of packs if everything is.
func BenchmarkMemory(b *testing.B) {
	folders, err := filepath.Glob(filepath.Join(realpacks.Dir(b), "*", "pack.json"))
	if err != nil {
		b.Fatal(err)
	}
	defer debug.SetGCPercent(debug.SetGCPercent(20))
	check := func(folder string) uint64 {
		return peak(func() { _, _ = packlint.Check(b.Context(), os.DirFS(folder), packlint.Options{}) })
	}
	for b.Loop() {
		var most uint64
		all := peak(func() {
			for _, f := range folders {
				_, _ = packlint.Check(b.Context(), os.DirFS(filepath.Dir(f)), packlint.Options{})
			}
		})
		for _, f := range largest(folders) {
			most = max(most, check(f))
		}
		b.ReportMetric(float64(all)/float64(most), "ratio")
		b.ReportMetric(float64(all>>20), "MiB-all")
		b.ReportMetric(float64(most>>20), "MiB-largest")
	}
}

// largest returns the folders of the ten packs with the most bytes.
func largest(folders []string) []string {
	const few = 10
	sizes := map[string]int64{}
	var found []string
	for _, f := range folders {
		dir := filepath.Dir(f)
		_ = filepath.WalkDir(dir, func(_ string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return err
			}
			info, err := d.Info()
			if err == nil {
				sizes[dir] += info.Size()
			}
			return err
		})
		at := len(found)
		for at > 0 && sizes[found[at-1]] < sizes[dir] {
			at--
		}
		found = append(found[:at], append([]string{dir}, found[at:]...)...)
		found = found[:min(few, len(found))]
	}
	return found
}

// peak returns the most memory that the heap takes while do runs, beyond what
// it takes before.
func peak(do func()) uint64 {
	runtime.GC()
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	before, most := stats.HeapAlloc, stats.HeapAlloc
	stop := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		tick := time.NewTicker(2 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-stop:
				return
			case <-tick.C:
				var now runtime.MemStats
				runtime.ReadMemStats(&now)
				most = max(most, now.HeapAlloc)
			}
		}
	})
	do()
	close(stop)
	wg.Wait()
	return most - before
}

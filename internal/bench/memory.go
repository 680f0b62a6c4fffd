package main

import (
	"os"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"time"
)

// measured is what something took: the median of its times, and the most
// memory that this process had meanwhile.
type measured struct {
	median  time.Duration
	peakMiB int
}

// measure measures do some times.
func measure(runs int, do func() error) (measured, error) {
	return measureEach(runs, func(int) (func() error, error) { return do, nil })
}

// measureEach measures what prepare returns for each run, but not prepare.
func measureEach(runs int, prepare func(run int) (func() error, error)) (measured, error) {
	var m measured
	var times []time.Duration
	for run := range runs {
		do, err := prepare(run)
		if err != nil {
			return m, err
		}
		forgetPeak()
		start := time.Now()
		if err := do(); err != nil {
			return m, err
		}
		times = append(times, time.Since(start))
		m.peakMiB = max(m.peakMiB, peakMiB())
	}
	slices.Sort(times)
	m.median = times[len(times)/2]
	return m, nil
}

// forgetPeak makes the high-water mark of this process' memory what is in use
// now. Where the system does not allow that, the mark is that of all so far.
func forgetPeak() {
	debug.FreeOSMemory()
	_ = os.WriteFile("/proc/self/clear_refs", []byte("5"), 0) // see proc(5)
}

// peakMiB is the high-water mark of this process' memory.
func peakMiB() int {
	data, _ := os.ReadFile("/proc/self/status")
	for line := range strings.SplitSeq(string(data), "\n") {
		if value, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			kib, _ := strconv.Atoi(strings.TrimSuffix(strings.TrimSpace(value), " kB"))
			return kib / 1024
		}
	}
	return 0
}

// Command bench measures the engine against baselines in the same run, on the
// same control plane, and prints a line for each figure:
//
//	bench a-dryrun ratio=37.2 ours=48ms baseline=1786ms requests=6 memory=60MiB baseline-memory=90MiB
//
// Memory is the most that this process had meanwhile, which talks to the server
// and is not the server.
// The ratio is how many times the baseline is slower, or for b and f how many
// times we are slower than it, and for d how many times the cost of one object grows.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"strings"
	"time"

	"k8s.io/client-go/rest"

	"github.com/strata-go/strata/reconcile/reconciletest"
)

// A figure is one line of the output.
type figure struct {
	id             string
	ratio          float64
	ours, baseline measured
	requests       int64
}

func (f figure) String() string {
	return fmt.Sprintf("bench %s ratio=%.2f ours=%s baseline=%s requests=%d memory=%dMiB baseline-memory=%dMiB", f.id, f.ratio,
		f.ours.median.Round(100*time.Microsecond), f.baseline.median.Round(100*time.Microsecond), f.requests, f.ours.peakMiB, f.baseline.peakMiB)
}

func main() {
	runs := flag.Int("runs", 5, "how often each thing is measured; the median counts")
	only := flag.String("only", "", "ids to measure, separated by commas; all if empty")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, *runs, *only); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// A measurement makes figures on a control plane of its own, or without one.
type measurement struct {
	ids     string
	run     func(ctx context.Context, config *rest.Config, runs int) ([]figure, error)
	offline bool
}

// figures measures m.
func (m measurement) figures(ctx context.Context, runs int) (figures []figure, err error) {
	if m.offline {
		return m.run(ctx, nil, runs)
	}
	cluster, err := reconciletest.StartControlPlane(ctx, nil)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, cluster.Close()) }()
	config := rest.CopyConfig(cluster.Config)
	config.QPS = -1
	return m.run(ctx, config, runs)
}

func run(ctx context.Context, runs int, only string) error {
	for _, m := range []measurement{
		{ids: "a", run: nothingToDo},
		{ids: "b", run: firstApply},
		{ids: "c", run: oneOfTwenty},
		{ids: "d", run: growth},
		{ids: "e", run: untilReady},
		{ids: "f", run: repairs},
		{ids: "g", run: nothingToUpgrade},
		{ids: "h", run: renderAll, offline: true},
	} {
		if only != "" && !slices.Contains(strings.Split(only, ","), m.ids) {
			continue
		}
		figures, err := m.figures(ctx, runs)
		if err != nil {
			return fmt.Errorf("%s: %w", m.ids, err)
		}
		for _, f := range figures {
			fmt.Println(f)
		}
	}
	return nil
}

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

// A measurement makes figures on a control plane of its own.
type measurement struct {
	ids string
	run func(ctx context.Context, config *rest.Config, runs int) ([]figure, error)
}

func run(ctx context.Context, runs int, only string) error {
	for _, m := range []measurement{
		{"a", nothingToDo},
		{"b", firstApply},
		{"c", oneOfTwenty},
		{"d", growth},
		{"e", untilReady},
		{"f", repairs},
		{"g", nothingToUpgrade},
	} {
		if only != "" && !slices.Contains(strings.Split(only, ","), m.ids) {
			continue
		}
		cluster, err := reconciletest.StartControlPlane(ctx, nil)
		if err != nil {
			return err
		}
		config := rest.CopyConfig(cluster.Config)
		config.QPS = -1
		figures, err := m.run(ctx, config, runs)
		if closing := cluster.Close(); err == nil {
			err = closing
		}
		if err != nil {
			return fmt.Errorf("%s: %w", m.ids, err)
		}
		for _, f := range figures {
			fmt.Println(f)
		}
	}
	return nil
}

package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"helm.sh/helm/v3/pkg/chart/loader"
	"helm.sh/helm/v3/pkg/chartutil"
	"helm.sh/helm/v3/pkg/engine"
	"helm.sh/helm/v3/pkg/releaseutil"
	"k8s.io/client-go/rest"

	"github.com/strata-go/strata/internal/helm"
)

// packsVariable names the folder of real packs.
const packsVariable = "STRATA_PACKS"

// renderAll measures (h): rendering all charts of real packs with their own
// values, from the archive to the objects in their order.
func renderAll(ctx context.Context, _ *rest.Config, runs int) ([]figure, error) {
	dir := os.Getenv(packsVariable)
	if dir == "" {
		fmt.Println("# h: skipped, as " + packsVariable + " names no folder of packs")
		return nil, nil
	}
	charts, err := archivesIn(ctx, dir)
	if err != nil {
		return nil, err
	}
	var ours, theirs []time.Duration
	forgetPeak()
	for range runs {
		a, b, err := inTurn(ctx, charts)
		if err != nil {
			return nil, err
		}
		ours, theirs = append(ours, a), append(theirs, b)
	}
	a, b := measured{middle(ours), peakMiB()}, measured{middle(theirs), peakMiB()}
	return []figure{{id: "h", ratio: over(a.median, b.median), ours: a, baseline: b}}, nil
}

// inTurn renders each chart by us and by Helm, one right after the other, so
// that whatever else the machine does hits both, and returns the sums.
func inTurn(ctx context.Context, charts [][]byte) (ours, theirs time.Duration, err error) {
	for _, tgz := range charts {
		start := time.Now()
		if err := renderByUs(ctx, tgz); err != nil {
			return 0, 0, err
		}
		between := time.Now()
		if err := renderByHelm(tgz); err != nil {
			return 0, 0, err
		}
		ours, theirs = ours+between.Sub(start), theirs+time.Since(between)
	}
	return ours, theirs, nil
}

func middle(times []time.Duration) time.Duration {
	slices.Sort(times)
	return times[len(times)/2]
}

// archivesIn returns the charts of packs that Helm renders.
func archivesIn(ctx context.Context, dir string) ([][]byte, error) {
	paths, err := filepath.Glob(filepath.Join(dir, "*", "charts", "*.tgz"))
	if err != nil || len(paths) == 0 {
		return nil, errors.Join(fmt.Errorf("%s: no charts", dir), err)
	}
	var charts [][]byte
	for _, path := range paths {
		tgz, err := os.ReadFile(path)
		if err != nil {
			return nil, err
		}
		if renderByUs(ctx, tgz) == nil && renderByHelm(tgz) == nil {
			charts = append(charts, tgz)
		}
	}
	fmt.Printf("# h: %d of %d charts, without those that lack values\n", len(charts), len(paths))
	return charts, nil
}

func renderByUs(ctx context.Context, tgz []byte) error {
	c, err := helm.LoadArchive("chart", tgz)
	if err != nil {
		return err
	}
	_, err = c.Render(ctx, helm.Request{ReleaseName: "r", Namespace: "ns"})
	return err
}

// renderByHelm does what Helm's SDK does to install, up to the sorted
// manifests. It checks no values schema: that may ask the network.
func renderByHelm(tgz []byte) error {
	c, err := loader.LoadArchive(bytes.NewReader(tgz))
	if err != nil {
		return err
	}
	caps := chartutil.DefaultCapabilities.Copy()
	caps.KubeVersion = chartutil.KubeVersion{Version: helm.DefaultKubeVersion, Major: "1", Minor: "37"}
	if err := chartutil.ProcessDependenciesWithMerge(c, map[string]any{}); err != nil {
		return err
	}
	options := chartutil.ReleaseOptions{Name: "r", Namespace: "ns", Revision: 1, IsInstall: true}
	values, err := chartutil.ToRenderValuesWithSchemaValidation(c, map[string]any{}, options, caps, true)
	if err != nil {
		return err
	}
	files, err := engine.Render(c, values)
	if err != nil {
		return err
	}
	for name := range files {
		if strings.HasSuffix(name, "NOTES.txt") {
			delete(files, name)
		}
	}
	_, _, err = releaseutil.SortManifests(files, caps.APIVersions, releaseutil.InstallOrder)
	return err
}

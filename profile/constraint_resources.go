package profile

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/strata-go/strata/internal/values"
)

// A NodePool are nodes of a cluster that are alike.
type NodePool struct {
	Name         string
	ControlPlane bool
	Nodes        int
	// What each node has. If zero, it is not known, and not checked.
	MilliCPU, MiB, DiskGB float64
	// Kubernetes is the version that the nodes run; empty if it is not known.
	Kubernetes string
}

// A Resource is what a pack needs of the nodes.
type Resource struct {
	Type string // "cpu", "memory" or "diskSize"; others are not checked
	// MinLimit is in thousandths of a CPU, MiB or GB. With components, it does
	// not count.
	MinLimit   float64
	Components []Component
}

// A Component is a part of a pack whose need stands in its values.
type Component struct {
	RequestPath  string // dotted path to what a replica asks for: "500m", "1Gi"
	ReplicasPath string // dotted path to the number of replicas; if empty, one
	// Schedule says on which nodes it runs: "all", "worker", and "master" or
	// "control-plane". If empty, all.
	Schedule string
}

// needs are what the layers need of some nodes, by resource.
type needs map[string]map[schedule]float64

type schedule string

const (
	anywhere     schedule = "all"
	controlPlane schedule = "control-plane"
	workers      schedule = "worker"
)

// resources compares what the layers need together with what the nodes have.
func (c *constraints) resources() {
	if len(c.Pools) == 0 {
		return
	}
	total, by := needs{}, map[string][]string{}
	for _, l := range c.Layers {
		for _, r := range l.Resources {
			for on, need := range c.need(l, r) {
				if total[r.Type] == nil {
					total[r.Type] = map[schedule]float64{}
				}
				total[r.Type][on] += need
				if !slices.Contains(by[r.Type], l.Layer) {
					by[r.Type] = append(by[r.Type], l.Layer)
				}
			}
		}
	}
	for _, resource := range []string{"cpu", "memory", "diskSize"} {
		need := total[resource]
		all := need[anywhere] + need[controlPlane] + need[workers]
		for _, on := range []struct {
			schedule
			need float64
		}{{controlPlane, need[controlPlane]}, {workers, need[workers]}, {anywhere, all}} {
			have, known := capacity(c.Pools, resource, on.schedule)
			if known && on.need > have {
				c.add(RuleResources, "", "", "the layers %s need %s of %s on %s nodes, and those have %s; add nodes, or larger ones",
					join(by[resource]), quantity(on.need, resource), resource, on.schedule, quantity(have, resource))
			}
		}
	}
}

// need returns what a layer needs of a resource, by where.
func (c *constraints) need(l LayerFacts, r Resource) map[schedule]float64 {
	if len(r.Components) == 0 {
		return map[schedule]float64{anywhere: r.MinLimit}
	}
	sums := map[schedule]float64{}
	for _, part := range r.Components {
		request, ok := values.Lookup(l.Values, part.RequestPath)
		if !ok {
			continue // the pack's default is not known, or nothing is asked for
		}
		amount, err := parseQuantity(request, r.Type)
		if err != nil {
			c.add(RuleResources, l.Layer, "", "%s: %v", part.RequestPath, err)
			continue
		}
		replicas := 1.0
		if value, ok := values.Lookup(l.Values, part.ReplicasPath); ok && part.ReplicasPath != "" {
			if replicas, err = strconv.ParseFloat(fmt.Sprint(value), 64); err != nil {
				c.add(RuleResources, l.Layer, "", "%s: want a number, not %q", part.ReplicasPath, fmt.Sprint(value))
				continue
			}
		}
		switch part.Schedule {
		case "master", "control-plane":
			sums[controlPlane] += amount * replicas
		case "worker":
			sums[workers] += amount * replicas
		default:
			sums[anywhere] += amount * replicas
		}
	}
	return sums
}

// capacity returns what the nodes have of a resource, and whether it is known
// of all of them.
func capacity(pools []NodePool, resource string, on schedule) (sum float64, known bool) {
	for _, p := range pools {
		if on == controlPlane && !p.ControlPlane || on == workers && p.ControlPlane {
			continue
		}
		each := map[string]float64{"cpu": p.MilliCPU, "memory": p.MiB, "diskSize": p.DiskGB}[resource]
		if each == 0 && p.Nodes > 0 {
			return 0, false
		}
		sum += each * float64(p.Nodes)
	}
	return sum, true
}

// parseQuantity parses a quantity of Kubernetes, and returns it in thousandths
// of a CPU, MiB or GB. A plain number is in CPUs, bytes or GB.
func parseQuantity(value any, resource string) (float64, error) {
	text := strings.TrimSpace(fmt.Sprint(value))
	digits := strings.TrimRight(text, "kKmMGTPEi")
	n, err := strconv.ParseFloat(digits, 64)
	factor, known := map[string]float64{
		"": 1, "m": 1e-3, "k": 1e3, "M": 1e6, "G": 1e9, "T": 1e12, "P": 1e15, "E": 1e18,
		"Ki": 1 << 10, "Mi": 1 << 20, "Gi": 1 << 30, "Ti": 1 << 40, "Pi": 1 << 50, "Ei": 1 << 60,
	}[text[len(digits):]]
	if err != nil || !known {
		return 0, fmt.Errorf("want a quantity such as 500m or 1Gi, not %q", text)
	}
	switch n *= factor; resource {
	case "cpu":
		return n * 1e3, nil
	case "memory":
		return n / (1 << 20), nil
	}
	if factor == 1 {
		return n, nil
	}
	return n / 1e9, nil
}

func quantity(n float64, resource string) string {
	unit := map[string]string{"cpu": "m", "memory": "Mi", "diskSize": "GB"}[resource]
	return strconv.FormatFloat(n, 'f', -1, 64) + unit
}

func join(words []string) string { return strings.Join(words, ", ") }

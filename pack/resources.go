package pack

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
)

// A Pool says which machines a [Need] is about.
type Pool string

// The pools.
const (
	AllMachines  Pool = ""
	ControlPlane Pool = "control-plane"
	Workers      Pool = "worker"
)

// A Need is an amount of a resource that a pack needs of the machines of a pool
// together.
type Need struct {
	Pack   string
	Type   string // "cpu", "memory" or "diskSize"
	Pool   Pool
	Amount float64 // millicores, MiB or GB
}

// Capacity is what the machines of a cluster have together, by pool and
// resource type, in the units of [Need]. [AllMachines] need not be there: it is
// the sum of the others.
type Capacity map[Pool]map[string]float64

// Needs returns what p needs of the machines with certain values. If the
// resource constraint has components, each needs its request times its
// replicas, as the values give them; without replicas, once.
//
// All problems are reported at once, each as an [*Error] whose Field is the
// path of the value, joined.
func (p *Pack) Needs(values map[string]any) ([]Need, error) {
	var needs []Need
	var errs []error
	for _, r := range p.Constraints.Resources {
		if len(r.Components) == 0 {
			needs = append(needs, Need{p.Name, r.Type, AllMachines, r.MinLimit})
			continue
		}
		for _, c := range r.Components {
			request, err := amount(values, c.RequestPath, r.Type)
			errs = append(errs, err)
			replicas := 1.0
			if c.ReplicasPath != "" {
				replicas, err = amount(values, c.ReplicasPath, "")
				errs = append(errs, err)
			}
			needs = append(needs, Need{p.Name, r.Type, poolOf(c.Schedule), request * replicas})
		}
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	return needs, nil
}

func poolOf(schedule string) Pool {
	switch schedule {
	case "master", "control-plane":
		return ControlPlane
	case "worker":
		return Workers
	}
	return AllMachines
}

// A CapacityError says that the machines do not have what packs need.
type CapacityError struct {
	Type       string // of the resource
	Pool       Pool
	Need, Have float64 // in the units of [Need]
}

// Error names both amounts.
func (e *CapacityError) Error() string {
	unit := map[string]string{"cpu": "m CPU", "memory": " MiB of memory", "diskSize": " GB of disk"}[e.Type]
	if unit == "" {
		unit = " " + e.Type
	}
	pool := "all machines together"
	if e.Pool != AllMachines {
		pool = fmt.Sprintf("the %s machines", e.Pool)
	}
	return fmt.Sprintf("packs need %s%s, and %s have %s", number(e.Need), unit, pool, number(e.Have))
}

func number(f float64) string { return strconv.FormatFloat(f, 'f', -1, 64) }

// CheckCapacity checks the needs of all packs of a stack against the machines.
// Needs of one pool add up, and together with those of the others count against
// the whole. It reports all problems at once, each as a [*CapacityError], joined.
func CheckCapacity(needs []Need, have Capacity) error {
	var errs []error
	for _, resource := range []string{"cpu", "memory", "diskSize"} {
		for _, pool := range []Pool{ControlPlane, Workers, AllMachines} {
			need := 0.0
			for _, n := range needs {
				if n.Type == resource && (n.Pool == pool || pool == AllMachines) {
					need += n.Amount
				}
			}
			if got := have.of(pool, resource); need > got {
				errs = append(errs, &CapacityError{resource, pool, need, got})
			}
		}
	}
	return errors.Join(errs...)
}

func (c Capacity) of(pool Pool, resource string) float64 {
	if pool == AllMachines && c[pool] == nil {
		return c[ControlPlane][resource] + c[Workers][resource]
	}
	return c[pool][resource]
}

// amount returns what stands at a path: a quantity in the unit of a resource
// type, or a plain number.
func amount(values map[string]any, path, resource string) (float64, error) {
	found := valuesAt(values, path, "")
	if len(found) != 1 {
		return 0, &Error{Field: path, Err: errors.New("required by the pack's resource constraints, but missing")}
	}
	text, ok := scalar(found[0].value)
	n, err := quantity(text)
	if !ok || err != nil || n < 0 {
		return 0, &Error{Field: path, Err: errors.New(`want a quantity, such as "500m", "2" or "1.5Gi"`)}
	}
	switch resource {
	case "cpu":
		n *= 1000
	case "memory":
		n /= 1 << 20
	case "diskSize":
		n /= 1e9
	}
	return n, nil
}

// quantity parses a Kubernetes quantity. The package that defines them is too
// large to be compiled in for this.
func quantity(text string) (float64, error) {
	digits := strings.TrimRight(text, "numkKMGTPEi")
	factor, ok := map[string]float64{
		"": 1, "n": 1e-9, "u": 1e-6, "m": 1e-3, "k": 1e3, "M": 1e6, "G": 1e9, "T": 1e12, "P": 1e15, "E": 1e18,
		"Ki": 1 << 10, "Mi": 1 << 20, "Gi": 1 << 30, "Ti": 1 << 40, "Pi": 1 << 50, "Ei": 1 << 60,
	}[text[len(digits):]]
	n, err := strconv.ParseFloat(digits, 64)
	if err != nil || !ok || math.IsInf(n, 0) || math.IsNaN(n) {
		return 0, errors.New("not a quantity")
	}
	return n * factor, nil
}

package profile

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/Masterminds/semver/v3"

	"github.com/strata-go/strata/internal/version"
	"github.com/strata-go/strata/layer"
)

// maxKubeletSkew is how many minor versions nodes may be behind the control
// plane (Kubernetes' version skew policy).
const maxKubeletSkew = 3

// looseVersion parses a version with one, two or three numbers.
func looseVersion(text string) (*semver.Version, error) {
	_, text = version.SplitGroup(text)
	if _, err := strconv.ParseUint(strings.TrimPrefix(text, "v"), 10, 64); err == nil {
		text += ".0"
	}
	if _, err := version.Parse(version.FromTag(text)); err != nil {
		return nil, err
	}
	// The strict parser is the one that no package variable of semver changes.
	n := numbers(text)
	rest := ""
	if i := strings.IndexAny(version.FromTag(text), "-+"); i >= 0 {
		rest = version.FromTag(text)[i:]
	}
	return semver.StrictNewVersion(fmt.Sprintf("%d.%d.%d%s", n[0], n[1], append(n, 0)[2], rest))
}

// kubernetesOf returns the layer of Kubernetes.
func kubernetesOf(layers []LayerFacts) (LayerFacts, bool) {
	i := slices.IndexFunc(layers, func(l LayerFacts) bool { return l.Kind == layer.Kubernetes })
	if i < 0 {
		return LayerFacts{}, false
	}
	return layers[i], true
}

// kubeVersions checks the ranges of a layer's charts, as Helm does.
func (c *constraints) kubeVersions(l LayerFacts) {
	kube, ok := kubernetesOf(c.Layers)
	if !ok || kube.Version == "" {
		return
	}
	v, err := looseVersion(kube.Version)
	if err != nil {
		return // nothing is known of it
	}
	// A revision of a pack ("1.33.2-rev2") is no pre-release of Kubernetes.
	plain, err := version.Parse(fmt.Sprintf("%d.%d.%d", v.Major(), v.Minor(), v.Patch()))
	if err != nil {
		return
	}
	for _, text := range l.KubeVersions {
		if ranges, err := version.ParseConstraint(text); err != nil {
			c.add(RuleKubeVersion, l.Layer, kube.Layer, "a chart has kubeVersion %q, which is no range of versions", text)
		} else if !ranges.Admits(plain) {
			c.add(RuleKubeVersion, l.Layer, kube.Layer, "a chart needs Kubernetes %s, and layer %q has %s", text, kube.Layer, kube.Version)
		}
	}
}

// kubernetes checks how the version of Kubernetes changes, and what the nodes
// have.
func (c *constraints) kubernetes() {
	now, ok := kubernetesOf(c.Layers)
	if !ok {
		return
	}
	to, err := looseVersion(now.Version)
	if err != nil {
		return
	}
	if before, ok := kubernetesOf(c.Before); ok {
		if from, err := looseVersion(before.Version); err == nil {
			c.step(now, from, to)
		}
	}
	for _, p := range c.Pools {
		kubelet, err := looseVersion(p.Kubernetes)
		if err != nil {
			continue
		}
		if kubelet.Major() != to.Major() || kubelet.Minor() > to.Minor() || to.Minor()-kubelet.Minor() > maxKubeletSkew {
			c.add(RuleSkew, now.Layer, "", "node pool %q runs Kubernetes %s, which does not go together with a control plane of %s; nodes may be %d minor versions behind, and not ahead", p.Name, p.Kubernetes, now.Version, maxKubeletSkew)
		}
	}
}

// step checks one change of the version of Kubernetes.
func (c *constraints) step(now LayerFacts, from, to *semver.Version) {
	a, b := numbersOf(from), numbersOf(to)
	switch {
	case slices.Compare(b, a) < 0:
		c.add(RuleDowngrade, now.Layer, "", "Kubernetes cannot go back from %s to %s; keep %s", from, to, from)
	case b[0] != a[0] || b[1] > a[1]+1:
		c.add(RuleSkew, now.Layer, "", "Kubernetes goes one minor version at a time, and %s to %s are more; go to %d.%d first", from, to, a[0], a[1]+1)
	}
}

func numbersOf(v *semver.Version) []uint64 { return []uint64{v.Major(), v.Minor(), v.Patch()} }

// KubernetesPath returns the versions that lead from one version of Kubernetes
// to another, one minor version at a time: of each minor between the two, the
// newest of those that are available. The last is to; the list is empty if the
// versions are equal. The errors are [*ConstraintError].
func KubernetesPath(from, to string, available []string) ([]string, error) {
	a, errA := looseVersion(from)
	b, errB := looseVersion(to)
	if errA != nil || errB != nil || a.Major() != b.Major() {
		return nil, &ConstraintError{RuleSkew, "", "", fmt.Sprintf("there is no way from Kubernetes %q to %q", from, to)}
	}
	switch order := slices.Compare(numbersOf(a), numbersOf(b)); {
	case order > 0:
		return nil, &ConstraintError{RuleDowngrade, "", "", fmt.Sprintf("Kubernetes cannot go back from %s to %s", from, to)}
	case order == 0:
		return nil, nil
	}
	var path []string
	for minor := a.Minor() + 1; minor < b.Minor(); minor++ {
		between := fmt.Sprintf("%d.%d.0", a.Major(), minor)
		newest := newestOf(available, func(v version.Version) bool { return samePart(v, between, 2) && !v.Prerelease() })
		if newest == "" {
			return nil, &ConstraintError{RuleSkew, "", "", fmt.Sprintf("there is no way from Kubernetes %s to %s: no version %d.%d is available", from, to, a.Major(), minor)}
		}
		path = append(path, newest)
	}
	return append(path, to), nil
}

package profile

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/strata-go/strata/internal/version"
	"github.com/strata-go/strata/layer"
)

// A Newer says which newer versions there are of a locked source.
type Newer struct {
	// Layer is the name of the layer; empty if the source is a profile.
	Layer string `json:"layer,omitempty"`
	// Source is the pack, chart, package or profile, and Current its version.
	Source  string `json:"source"`
	Current string `json:"current"`
	// Patch, Minor and Major are the newest version of the same minor version,
	// of the same major version but another minor, and of another major. Empty
	// ones do not exist.
	Patch string `json:"patch,omitempty"`
	Minor string `json:"minor,omitempty"`
	Major string `json:"major,omitempty"`
	// Allowed is the newest version that the constraint admits; empty if the
	// lock has it.
	Allowed string `json:"allowed,omitempty"`
}

// Outdated lists the sources of a lock that have newer versions, profiles
// first. Pre-releases do not count, and sources whose version is none are not
// listed. The error joins those of l, of which [layer.ErrNoVersion] is none;
// the list then has the others.
func Outdated(ctx context.Context, l Lister, lock *Lock) ([]Newer, error) {
	type question struct {
		layer string
		layer.Pin
	}
	var questions []question
	for _, p := range lock.Profiles {
		if !p.Source.Zero() {
			questions = append(questions, question{"", p.Source})
		}
	}
	for _, ll := range lock.Layers {
		if ll.Format != layer.FormatManifests {
			questions = append(questions, question{ll.Layer, ll.Pin})
		}
	}
	all, errs := make([]Newer, len(questions)), make([]error, len(questions))
	slots := make(chan struct{}, maxLookups)
	var wg sync.WaitGroup
	for i, q := range questions {
		wg.Go(func() {
			slots <- struct{}{}
			defer func() { <-slots }()
			if errs[i] = ctx.Err(); errs[i] != nil {
				return
			}
			if all[i], errs[i] = newer(ctx, l, q.Pin); errs[i] != nil {
				errs[i] = fmt.Errorf("%s: %w", cmp.Or(q.layer, q.Name), errs[i])
			}
			all[i].Layer = q.layer
		})
	}
	wg.Wait()
	all = slices.DeleteFunc(all, func(n Newer) bool { return n.Patch+n.Minor+n.Major == "" })
	return all, errors.Join(errs...)
}

func newer(ctx context.Context, l Lister, pin layer.Pin) (Newer, error) {
	group, _ := version.SplitGroup(pin.Resolved)
	every := pin.Ref
	every.Version, every.Strategy = version.JoinGroup(group, ""), ""
	if group != "" {
		every.Version = version.JoinGroup(group, "*")
	}
	versions, err := l.Versions(ctx, every)
	if errors.Is(err, layer.ErrNoVersion) {
		return Newer{}, nil
	} else if err != nil {
		return Newer{}, err
	}
	return newerOf(pin, versions), nil
}

// newerOf picks from versions what is newer than a pin.
func newerOf(pin layer.Pin, versions []string) Newer {
	n := Newer{Source: pin.Name, Current: version.FromTag(pin.Resolved)}
	current, err := parseVersion(pin.Resolved)
	if err != nil {
		return n
	}
	newer := func(v version.Version) bool { return version.Compare(v, current) > 0 && !v.Prerelease() }
	n.Patch = newestOf(versions, func(v version.Version) bool { return newer(v) && samePart(v, pin.Resolved, 2) })
	n.Minor = newestOf(versions, func(v version.Version) bool {
		return newer(v) && samePart(v, pin.Resolved, 1) && !samePart(v, pin.Resolved, 2)
	})
	n.Major = newestOf(versions, func(v version.Version) bool { return newer(v) && !samePart(v, pin.Resolved, 1) })
	constraint, _, _ := strings.Cut(pin.Version, "@")
	if admitted, err := version.Select(constraint, versions); err == nil {
		n.Allowed = newestOf(admitted, newer)
	}
	return n
}

// parseVersion parses a version that may be in a group.
func parseVersion(text string) (version.Version, error) {
	_, text = version.SplitGroup(text)
	return version.Parse(version.FromTag(text))
}

// newestOf returns the newest of the versions that are wanted, or "".
func newestOf(versions []string, wanted func(version.Version) bool) string {
	newest := ""
	var best version.Version
	for _, text := range versions {
		v, err := parseVersion(text)
		if err == nil && wanted(v) && (newest == "" || version.Compare(v, best) > 0) {
			newest, best = text, v
		}
	}
	return newest
}

// samePart reports whether the first n numbers of two versions are equal.
func samePart(v version.Version, other string, n int) bool {
	a, b := numbers(v.String()), numbers(other)
	return len(a) >= n && len(b) >= n && slices.Equal(a[:n], b[:n])
}

// numbers returns the numbers that a version, a train or a simple constraint
// begins with: "LTS__22.4.x" has 22 and 4.
func numbers(text string) []uint64 {
	_, text = version.SplitGroup(text)
	text = strings.TrimLeft(strings.TrimSpace(text), "v=~^>< ")
	core := text
	if i := strings.IndexAny(core, "-+ ,|@"); i >= 0 {
		core = core[:i]
	}
	var found []uint64
	for part := range strings.SplitSeq(core, ".") {
		n, err := strconv.ParseUint(part, 10, 64)
		if err != nil {
			break
		}
		found = append(found, n)
	}
	return found
}

// directionOf compares two versions that were resolved.
func directionOf(from, to string) ChangeType {
	a, errA := parseVersion(from)
	b, errB := parseVersion(to)
	switch {
	case errA != nil || errB != nil:
		return Changed
	case version.Compare(a, b) < 0:
		return Upgraded
	}
	return Downgraded
}

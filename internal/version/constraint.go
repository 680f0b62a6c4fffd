package version

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/Masterminds/semver/v3"
)

// A Constraint admits versions. Only [ParseConstraint] makes one.
type Constraint struct {
	exact  Version // if its text is not empty, the version with build metadata that is admitted
	ranges *semver.Constraints
}

// ParseConstraint parses a constraint; the empty one admits every release.
func ParseConstraint(text string) (Constraint, error) {
	if v, err := Parse(text); err == nil && v.sem.Metadata() != "" {
		return Constraint{exact: v}, nil
	}
	text = strings.TrimSpace(text)
	ranges, err := semver.NewConstraint(cmp.Or(trimZeros(text), "*"))
	if err != nil {
		return Constraint{}, fmt.Errorf("constraint %.100q: want something like 1.2.3, ~1.2, 1.2.x or >=1 <3", text)
	}
	return Constraint{ranges: ranges}, nil
}

// Admits reports whether v satisfies c.
func (c Constraint) Admits(v Version) bool {
	if c.ranges == nil {
		return v.sem.Equal(c.exact.sem) && v.sem.Metadata() == c.exact.sem.Metadata()
	}
	return c.ranges.Check(v.sem)
}

// trimZeros removes leading zeros from the numbers of a constraint. Without
// it, semver accepts them or not by the setting of a package variable, which
// any code in the process may change.
func trimZeros(text string) string {
	var b strings.Builder
	var last byte
	inNumbers := true // rather than in a pre-release or build metadata, where zeros count
	for i := range len(text) {
		char := text[i]
		switch {
		case strings.IndexByte(" ,|<>=~^!", char) >= 0:
			inNumbers = true
		case (char == '-' || char == '+') && last != ' ' && last != 0:
			inNumbers = false
		}
		next := i + 1
		leading := inNumbers && char == '0' && !digit(last) && next < len(text) && digit(text[next])
		if !leading {
			b.WriteByte(char)
			last = char
		}
	}
	return b.String()
}

func digit(c byte) bool { return '0' <= c && c <= '9' }

// Select returns the tags that satisfy a constraint, newest first. Tags that
// are no versions, and among them those of trains ("1.x"), satisfy none; but
// if the constraint is word for word a tag other than a train, or the version
// that it stands for, that tag alone satisfies it.
//
// The error says that the constraint is neither a tag nor a constraint.
func Select(constraint string, tags []string) ([]string, error) {
	for _, tag := range tags {
		if !train(tag) && (tag == constraint || FromTag(tag) == constraint) {
			return []string{tag}, nil
		}
	}
	c, err := ParseConstraint(constraint)
	if err != nil {
		return nil, err
	}
	return newestFirst(tags, c.Admits), nil
}

// Known returns the tags that are versions, newest first.
func Known(tags []string) []string {
	return newestFirst(tags, func(Version) bool { return true })
}

func newestFirst(tags []string, admits func(Version) bool) []string {
	type candidate struct {
		tag string
		Version
	}
	var found []candidate
	for _, tag := range tags {
		if v, err := Parse(FromTag(tag)); err == nil && admits(v) {
			found = append(found, candidate{tag, v})
		}
	}
	slices.SortFunc(found, func(a, b candidate) int { return Compare(b.Version, a.Version) })
	result := make([]string, len(found))
	for i, c := range found {
		result[i] = c.tag
	}
	return result
}

// train reports whether tag follows the newest version of a train, as "1.x"
// and "LTS__22.4.x" do.
func train(tag string) bool {
	return tag == "x" || strings.HasSuffix(tag, ".x")
}

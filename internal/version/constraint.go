package version

import (
	"cmp"
	"fmt"
	"regexp"
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
	plain := revisionInRange.ReplaceAllString(trimZeros(text), "$1")
	ranges, err := semver.NewConstraint(cmp.Or(plain, "*"))
	if err != nil {
		return Constraint{}, fmt.Errorf("constraint %.100q: want something like 1.2.3, ~1.2, 1.2.x or >=1 <3", text)
	}
	return Constraint{ranges: ranges}, nil
}

// revisionInRange is a revision, which does not count in a range: otherwise it
// would be taken for a pre-release, and let all pre-releases in.
var revisionInRange = regexp.MustCompile(`([0-9])-(?:rev|up)\.?[0-9]+\b`)

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
// A constraint with a group ("LTS__22.4.x") looks at the tags of that group
// only. If none of them is a version that satisfies it, the tag of that very
// name does: there are registries that have nothing but the trains of a group.
//
// The error says that the constraint is neither a tag nor a constraint.
func Select(constraint string, tags []string) ([]string, error) {
	for _, tag := range tags {
		if !Train(tag) && (tag == constraint || FromTag(tag) == constraint) {
			return []string{tag}, nil
		}
	}
	group, rest := SplitGroup(constraint)
	c, err := ParseConstraint(rest)
	if err != nil {
		return nil, err
	}
	if group == "" {
		return newestFirst(tags, c.Admits), nil
	}
	var members []string
	for _, tag := range tags {
		if of, version := SplitGroup(tag); of == group {
			members = append(members, version)
		}
	}
	found := newestFirst(members, c.Admits)
	for i, version := range found {
		found[i] = JoinGroup(group, version)
	}
	if len(found) == 0 && slices.Contains(tags, constraint) {
		found = []string{constraint}
	}
	return found, nil
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

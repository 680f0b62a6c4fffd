package version

import (
	"fmt"
	"strings"
)

// groupMark separates the group of a tag from its version: "LTS__22.04.1".
const groupMark = "__"

// SplitGroup returns the group of a tag, which may be empty, and the rest.
func SplitGroup(tag string) (group, rest string) {
	if i := strings.Index(tag, groupMark); i > 0 {
		return tag[:i], tag[i+len(groupMark):]
	}
	return "", tag
}

// JoinGroup returns the tag of a version, or a train, in a group.
func JoinGroup(group, tag string) string {
	if group == "" {
		return tag
	}
	return group + groupMark + tag
}

// Train reports whether tag follows the newest version of a train, as "1.x"
// and "LTS__22.4.x" do.
func Train(tag string) bool {
	return tag == "x" || strings.HasSuffix(tag, ".x")
}

// Leads returns the trains ("22.x", "22.4.x") that tag is the newest version of,
// of those in tags. Trains are named without leading zeros. A pre-release leads
// none, and neither does what is no version.
func Leads(tag string, tags []string) []string {
	v, err := Parse(FromTag(tag))
	if err != nil || v.Prerelease() {
		return nil
	}
	major, minor := true, true
	for _, other := range tags {
		o, err := Parse(FromTag(other))
		if err != nil || o.Prerelease() || Compare(o, v) <= 0 || o.sem.Major() != v.sem.Major() {
			continue
		}
		major = false
		minor = minor && o.sem.Minor() != v.sem.Minor()
	}
	var trains []string
	if major {
		trains = append(trains, fmt.Sprintf("%d.x", v.sem.Major()))
	}
	if minor {
		trains = append(trains, fmt.Sprintf("%d.%d.x", v.sem.Major(), v.sem.Minor()))
	}
	return trains
}

// NewestPatch returns the newest version of the oldest minor version in tags,
// which are sorted as [Select] returns them, newest first, and not empty.
func NewestPatch(tags []string) string {
	oldest := tags[len(tags)-1]
	for _, tag := range tags {
		if sameMinor(tag, oldest) {
			return tag
		}
	}
	return oldest
}

func sameMinor(a, b string) bool {
	_, a = SplitGroup(a)
	_, b = SplitGroup(b)
	va, errA := Parse(FromTag(a))
	vb, errB := Parse(FromTag(b))
	return errA == nil && errB == nil && va.sem.Major() == vb.sem.Major() && va.sem.Minor() == vb.sem.Minor()
}

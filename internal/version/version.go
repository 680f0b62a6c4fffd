package version

import (
	"cmp"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/Masterminds/semver/v3"
)

// maxLen is the length of the longest tag in an OCI registry.
const maxLen = 128

// A Version is a parsed version. Only [Parse] makes one.
type Version struct {
	text string
	sem  *semver.Version
}

// revision is what stands where semver has the pre-release, and is none.
var revision = regexp.MustCompile(`^(rev|up)\.?([0-9]+)$`)

// Parse parses a version. The package documentation says what one is.
func Parse(text string) (Version, error) {
	if len(text) > maxLen {
		return Version{}, fmt.Errorf("version %.20q...: longer than %d bytes", text, maxLen)
	}
	rest, meta, hasMeta := strings.Cut(strings.TrimPrefix(text, "v"), "+")
	core, pre, hasPre := strings.Cut(rest, "-")
	numbers := strings.Split(core, ".")
	if len(numbers) < 2 || len(numbers) > 3 {
		return Version{}, fmt.Errorf("version %q: want two or three numbers", text)
	}
	var n [3]uint64
	for i, s := range numbers {
		var err error
		if n[i], err = strconv.ParseUint(s, 10, 64); err != nil {
			return Version{}, fmt.Errorf("version %q: %q is not a number", text, s)
		}
	}
	if hasPre && revision.MatchString(pre) {
		// With a dot before the number, so that it is compared as one.
		revised := revision.ReplaceAllString(pre, "$1.$2")
		if hasMeta {
			revised += "." + meta
		}
		pre, hasPre, meta, hasMeta = "", false, revised, true
	}
	// The strict parser is the one that no package variable of semver changes.
	canonical := fmt.Sprintf("%d.%d.%d", n[0], n[1], n[2])
	if hasPre {
		canonical += "-" + pre
	}
	if hasMeta {
		canonical += "+" + meta
	}
	sem, err := semver.StrictNewVersion(canonical)
	if err != nil {
		return Version{}, fmt.Errorf("version %q: %w", text, err)
	}
	return Version{text: text, sem: sem}, nil
}

// String returns the version as it was written.
func (v Version) String() string { return v.text }

// Prerelease reports whether v is a pre-release.
func (v Version) Prerelease() bool { return v.sem.Prerelease() != "" }

// Compare orders versions, oldest first, as the package documentation says.
func Compare(a, b Version) int {
	return cmp.Or(
		a.sem.Compare(b.sem),
		compareMetadata(a.sem.Metadata(), b.sem.Metadata()),
		cmp.Compare(a.text, b.text),
	)
}

// CompareBound compares a version with a bound, as [Compare], but for what no
// bound means: "v1.2.0" and "1.2" are equal, and so are versions that differ in
// build metadata only, if the bound has none.
func CompareBound(v, bound Version) int {
	if bound.sem.Metadata() == "" {
		return v.sem.Compare(bound.sem)
	}
	return cmp.Or(v.sem.Compare(bound.sem), compareMetadata(v.sem.Metadata(), bound.sem.Metadata()))
}

// compareMetadata compares by parts, as semver compares pre-releases.
func compareMetadata(a, b string) int {
	if a == "" || b == "" {
		return cmp.Compare(len(a), len(b))
	}
	return semver.New(0, 0, 0, a, "").Compare(semver.New(0, 0, 0, b, ""))
}

// FromTag returns the version that an OCI tag stands for. Tags cannot hold
// "+"; as in Helm, "_" stands for it. Tags with a group ("LTS__22.4.1") are no
// versions, and come out unchanged.
func FromTag(tag string) string {
	if strings.Contains(tag, "__") {
		return tag
	}
	return strings.ReplaceAll(tag, "_", "+")
}

// ToTag returns the OCI tag that stands for a version; see [FromTag].
func ToTag(version string) string { return strings.ReplaceAll(version, "+", "_") }

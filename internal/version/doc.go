// Package version parses, orders and matches the versions of packs, charts and
// packages, which are often not quite semantic versions: "24.04", "1.5",
// "26.02.1", "v1.12.0".
//
// # What is a version
//
// Two or three numbers with dots between them, then optionally "-" and a
// pre-release, and "+" and build metadata, both as in semver.org 2.0.0. A
// leading "v" and leading zeros in the numbers are allowed and do not count; a
// third number that is missing is 0. Everything else ("latest", "1", "1.x",
// "jammy") is a tag but not a version.
//
// # The order
//
//  1. The numbers, from left to right.
//  2. A pre-release is older than its release.
//  3. Pre-releases by their parts: numbers as numbers, before text.
//  4. Revisions and build metadata in the same way; none is oldest.
//  5. The text, so that no two different versions are equal.
//
// A revision is "-rev" or "-up" with a number: "1.26.2-rev2", "2.1.0-up.2". It
// stands where semver has pre-releases, but is published after the version that
// it is a revision of, to repair the pack around the same software. Taken for a
// pre-release it would be older than what it repairs, and no train would ever
// lead to it; and of some packs ("-up.N") there is nothing but revisions. So it
// counts as build metadata. All other suffixes are pre-releases, as in semver.
//
// # Constraints
//
// Those of Masterminds/semver ("~1.2", ">=1 <3", "1.2 - 1.4 || 2.x"), which
// include trains: "1.x", "1.27.x". A version with two numbers is a train too:
// "1.27" admits 1.27.4. No constraint admits any release. Pre-releases are
// admitted only by a constraint that names one. A version with build metadata
// admits only versions with the same, and so does one with a revision. In a
// range (">=1.26.2-rev2") a revision does not count.
//
// A group before the version, as in the tag "LTS__22.04.1", is a name: the
// constraint "LTS__22.4.x" admits what 22.4.x admits of the tags of that group,
// and a constraint without a group admits no tag with one.
//
// The text of a constraint that is itself the name of a tag means that tag and
// no other, even if it could also be read as a range: see [Select].
package version

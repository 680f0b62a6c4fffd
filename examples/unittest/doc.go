// Package unittest shows how a platform team tests its own profiles: without a real
// cluster, a registry or a network, in milliseconds.
//
// The profiles stand in profiles, what the clusters run in stacks, and the
// cases in testdata. Read profiles_test.go first.
package unittest

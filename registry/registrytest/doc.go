// Package registrytest runs a real OCI registry in the process, in memory and
// on loopback, for tests and for programs that want to show something without
// any other service.
//
// The registry speaks plain HTTP and lets everyone in.
package registrytest

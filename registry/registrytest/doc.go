// Package registrytest runs a real OCI registry in the process, in memory and
// on loopback, for tests and for programs that want to show something without
// any other service.
//
// Unless [Options] say otherwise, the registry speaks plain HTTP and lets
// everyone in. With them it asks for a login, speaks TLS, is slow, and has a
// classic Helm repository beside it. [Server.Inject] makes requests go wrong.
//
// [TestResolver] tests other implementations of what package profile and
// package reconcile want of a registry.
package registrytest

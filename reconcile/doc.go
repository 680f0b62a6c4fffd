// Package reconcile brings a cluster to the state that a resolved stack of
// profiles describes, and says how far it is from it.
//
// Everything that a stack consists of is rendered to Kubernetes objects, and
// one engine handles them all: it compares them with the inventory of what the
// installation owns and with what the cluster has, makes a [Plan], applies it
// server-side in the order of the stack, waits until each part is ready, and
// then removes what is no longer wanted.
//
// Reconciling is level-based. [Reconciler.Reconcile] makes one pass: it does
// everything that can be done now, never sleeps to wait for readiness, and
// returns with [Result.RetryAfter], as a controller needs it.
// [Reconciler.Converge] repeats passes, woken by watches, until the target is
// ready: for commands, scripts and tests.
//
// [Reconciler.Status] says what is on a cluster, as values that are JSON, a
// table ([Status.String]) or a picture ([Status.Picture], [Status.SVG]) too;
// package bom makes a bill of materials of them. [Reconciler.Discover] says what
// others installed there with Helm, and how to take it over.
package reconcile

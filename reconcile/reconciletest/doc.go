// Package reconciletest has what tests of programs that reconcile clusters need:
// a [Simulation] of a cluster in the process, a real control plane on this
// machine ([ControlPlane]), and [Faults] for the way to either of them.
//
//	func TestInstall(t *testing.T) {
//		synctest.Test(t, func(t *testing.T) {
//			var cluster reconciletest.Simulation
//			cluster.Behave(reconciletest.Behavior{Kind: "Deployment", After: 10 * time.Minute})
//			target := reconcile.Target{Config: cluster.Config()}
//			...
//		})
//	}
//
// # The simulation
//
// A [Simulation] takes milliseconds and needs nothing. Its API server answers as
// kube-apiserver does: discovery; reading whole objects or their metadata, by
// label, by name and in pages; watches with bookmarks, selectors and 410 Gone;
// creation, update, all four kinds of patches, dry runs, deletion with
// preconditions, finalizers, owners and namespaces; the subresources status and
// scale; definitions of custom resources, whose schemas prune and validate. Server-side
// apply, managed fields, merge keys, patches and selectors are Kubernetes' own
// code with its own schemas, and a test holds the answers against those of the
// real control plane.
//
// It does not do what only the source of Kubernetes has, and no library:
//
//   - Defaults, but for replicas, the ports of services and what the server needs
//     itself. Schemas of custom resources do not set defaults either.
//   - Validation and immutable fields of what is built in, but for names and metadata;
//     rules in CEL of custom resources.
//   - Admission, webhooks, quota, authentication and RBAC: everybody may do everything.
//   - Controllers, but for those of owners, namespaces and definitions: no Deployment
//     has pods. What is read in the status of objects is written as [Behavior] says.
//   - Answers but in JSON, tables, OpenAPI documents, logs, exec, and resources but
//     those that client-go has typed clients for, each in its newest stable version.
//   - Conversion webhooks: the versions of a custom resource differ in their name only.
//
// # The control plane
//
// [ControlPlane] is etcd, kube-apiserver, kube-controller-manager and
// kube-scheduler of one Kubernetes release, in a process of their own that ends
// with the program that started it. It takes some seconds.
//
// Everything that the API server and the controllers do is real: admission,
// server-side apply, managed fields, RBAC, custom resource definitions, garbage
// collection, rollouts, disruption budgets, quotas. There are no machines: one
// node, "test-node", reports that the containers of its pods run, and never runs
// any. So:
//
//   - Deployments, StatefulSets and DaemonSets become available, Jobs complete,
//     and deleted pods go at once, without their grace period.
//   - Services of type LoadBalancer get an address of 198.18.0.0/15, where nobody listens.
//   - Persistent volume claims are bound. There is a default storage class,
//     "standard", and the class of any other provisioner works as well.
//   - Namespaces are deleted at once and not after the usual 5 seconds or more.
//   - There is no exec and no port forwarding, no metrics (so a
//     HorizontalPodAutoscaler never scales), no DNS, no network between pods. Logs
//     are what annotations say.
//     A webhook must be registered by URL, not by service.
//
// # Faults of pods
//
// Annotations on a pod, or on the pod template of its owner, make it fail:
//
//	strata.dev/test-fail: "true"         its containers never become ready; those of a Job fail
//	strata.dev/test-pending: "true"      it never starts
//	strata.dev/test-image-pull: "fail"   its containers wait with ImagePullBackOff
//	strata.dev/test-ready-after: "2s"    its containers become ready that long after the start
//	strata.dev/test-finish-after: "2s"   the containers of a Job finish that long after the start
//	strata.dev/test-crash: "main"        that container ends with an error again and again, and waits to be restarted
//	strata.dev/test-restarted: "main"    that container ended with an error once, and runs since
//	strata.dev/test-log: "text"          what the containers say in their logs
//	strata.dev/test-log-main: "text"     what that container says
//	strata.dev/test-log-before: "text"   what the container that ended with an error said before
//
// On a Service or a PersistentVolumeClaim, strata.dev/test-pending keeps it
// without an address or a volume. A value that cannot be read keeps the pod
// waiting with CreateContainerConfigError. A Job whose pods fail tries again as
// often as its backoffLimit says, and Kubernetes waits longer each time: tests
// set it to 0.
//
// # Faults of the connection
//
// [Faults] stands between a client and any API server, simulated or not: it takes note of each
// request, and lets those fail that its script names: refused with a status (409,
// 429, 503), timed out, reset before or after the server did it, cut off in the
// middle, or never heard of again.
//
// A control plane itself can be killed and started again with its objects:
// [Cluster.Kill], [Cluster.Restart].
//
// # The binary
//
// The control plane is one binary, built once per machine from internal/controlplane
// with "make controlplane" in a checkout. It is looked up at the path in
// $STRATA_CONTROLPLANE and otherwise at strata/controlplane-v1.36.3 in the cache
// directory: $STRATA_CACHE, or $XDG_CACHE_HOME, or $HOME/.cache.
package reconciletest

// Package profile models cluster profiles: named, versioned stacks of layers
// that describe what a Kubernetes cluster is made of.
//
//	base, err := profile.Load("base.yaml")
//	desired, err := profile.Resolve(ctx, &registry.Client{}, nil, base)
//	result, err := reconcile.Reconcile(ctx, target, desired)
//
// A [Profile] is parsed from YAML or written as a literal. [Compose] puts
// profiles together into a [Stack], which is what one cluster runs. Resolving
// the stack checks it, binds its variables and pins every source to a digest;
// the result is a [Desired] state and its [Lock]. A Desired can be made in no
// other way, so whoever holds one holds a valid stack.
//
// Apart from [Load] and [LoadStack] the package does no I/O: versions are looked
// up through the [Resolver] that the caller gives, and profile logic is tested
// without a network or a cluster.
package profile

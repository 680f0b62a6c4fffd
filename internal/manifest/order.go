package manifest

import (
	"cmp"
	"slices"

	"k8s.io/apimachinery/pkg/runtime/schema"
)

// A Batch is a set of kinds whose objects may be applied at the same time,
// after those of every lower batch.
type Batch int

// The batches, in the order in which Kubernetes needs them.
const (
	Namespaces      Batch = iota // everything else is in one
	Limits                       // what decides whether later objects are admitted
	Definitions                  // custom resource definitions
	ServiceAccounts              // pods are refused without theirs
	Configuration                // secrets and config maps
	Storage                      // classes, drivers, volumes and claims
	Roles
	RoleBindings // bound roles must exist, or the binding is refused
	Services     // before the pods, which get their addresses
	Workloads
	Jobs
	Ingresses
	CustomResources // every kind that has no batch of its own
	APIServices     // served by the workloads
	Webhooks        // last: they may refuse everything until their workload is ready
)

// batches is constant.
var batches = map[schema.GroupKind]Batch{
	{Group: "", Kind: "Namespace"}: Namespaces,

	{Group: "scheduling.k8s.io", Kind: "PriorityClass"}: Limits,
	{Group: "node.k8s.io", Kind: "RuntimeClass"}:        Limits,
	{Group: "", Kind: "ResourceQuota"}:                  Limits,
	{Group: "", Kind: "LimitRange"}:                     Limits,
	{Group: "policy", Kind: "PodSecurityPolicy"}:        Limits,
	{Group: "policy", Kind: "PodDisruptionBudget"}:      Limits,
	{Group: "networking.k8s.io", Kind: "NetworkPolicy"}: Limits,

	{Group: "apiextensions.k8s.io", Kind: "CustomResourceDefinition"}: Definitions,

	{Group: "", Kind: "ServiceAccount"}: ServiceAccounts,

	{Group: "", Kind: "Secret"}:    Configuration,
	{Group: "", Kind: "ConfigMap"}: Configuration,

	{Group: "storage.k8s.io", Kind: "StorageClass"}:          Storage,
	{Group: "storage.k8s.io", Kind: "CSIDriver"}:             Storage,
	{Group: "storage.k8s.io", Kind: "VolumeAttributesClass"}: Storage,
	{Group: "", Kind: "PersistentVolume"}:                    Storage,
	{Group: "", Kind: "PersistentVolumeClaim"}:               Storage,

	{Group: "rbac.authorization.k8s.io", Kind: "ClusterRole"}:        Roles,
	{Group: "rbac.authorization.k8s.io", Kind: "Role"}:               Roles,
	{Group: "rbac.authorization.k8s.io", Kind: "ClusterRoleBinding"}: RoleBindings,
	{Group: "rbac.authorization.k8s.io", Kind: "RoleBinding"}:        RoleBindings,

	{Group: "", Kind: "Service"}:                       Services,
	{Group: "", Kind: "Endpoints"}:                     Services,
	{Group: "discovery.k8s.io", Kind: "EndpointSlice"}: Services,

	{Group: "", Kind: "Pod"}:                                Workloads,
	{Group: "", Kind: "ReplicationController"}:              Workloads,
	{Group: "apps", Kind: "DaemonSet"}:                      Workloads,
	{Group: "apps", Kind: "Deployment"}:                     Workloads,
	{Group: "apps", Kind: "ReplicaSet"}:                     Workloads,
	{Group: "apps", Kind: "StatefulSet"}:                    Workloads,
	{Group: "autoscaling", Kind: "HorizontalPodAutoscaler"}: Workloads,

	{Group: "batch", Kind: "Job"}:     Jobs,
	{Group: "batch", Kind: "CronJob"}: Jobs,

	{Group: "networking.k8s.io", Kind: "IngressClass"}: Ingresses,
	{Group: "networking.k8s.io", Kind: "Ingress"}:      Ingresses,

	{Group: "apiregistration.k8s.io", Kind: "APIService"}: APIServices,

	{Group: "admissionregistration.k8s.io", Kind: "MutatingWebhookConfiguration"}:     Webhooks,
	{Group: "admissionregistration.k8s.io", Kind: "ValidatingWebhookConfiguration"}:   Webhooks,
	{Group: "admissionregistration.k8s.io", Kind: "MutatingAdmissionPolicy"}:          Webhooks,
	{Group: "admissionregistration.k8s.io", Kind: "MutatingAdmissionPolicyBinding"}:   Webhooks,
	{Group: "admissionregistration.k8s.io", Kind: "ValidatingAdmissionPolicy"}:        Webhooks,
	{Group: "admissionregistration.k8s.io", Kind: "ValidatingAdmissionPolicyBinding"}: Webhooks,
}

// BatchOf returns the batch of a kind: [CustomResources] for kinds that are
// not known here. The version of a kind has no influence.
func BatchOf(kind schema.GroupKind) Batch {
	if b, ok := batches[kind]; ok {
		return b
	}
	return CustomResources
}

// Order returns the objects sorted by batch. Within a batch they keep the
// order in which they were given.
func Order(objects []Object) []Object {
	ordered := slices.Clone(objects)
	slices.SortStableFunc(ordered, func(a, b Object) int {
		return cmp.Compare(a.Batch(), b.Batch())
	})
	return ordered
}

// Batch returns the batch of the object's kind.
func (o Object) Batch() Batch { return BatchOf(o.GroupVersionKind().GroupKind()) }

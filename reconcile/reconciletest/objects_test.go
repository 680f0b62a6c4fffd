package reconciletest

import (
	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	appsapply "k8s.io/client-go/applyconfigurations/apps/v1"
	batchapply "k8s.io/client-go/applyconfigurations/batch/v1"
	coreapply "k8s.io/client-go/applyconfigurations/core/v1"
	metaapply "k8s.io/client-go/applyconfigurations/meta/v1"
	rbacapply "k8s.io/client-go/applyconfigurations/rbac/v1"
)

func podTemplate(name string, annotations map[string]string) *coreapply.PodTemplateSpecApplyConfiguration {
	return coreapply.PodTemplateSpec().
		WithLabels(map[string]string{"app": name}).
		WithAnnotations(annotations).
		WithSpec(coreapply.PodSpec().
			WithInitContainers(coreapply.Container().WithName("init").WithImage("example.com/init:1")).
			WithContainers(coreapply.Container().WithName("main").WithImage("example.com/main:1")))
}

func selector(name string) *metaapply.LabelSelectorApplyConfiguration {
	return metaapply.LabelSelector().WithMatchLabels(map[string]string{"app": name})
}

func deployment(name string, annotations map[string]string) *appsapply.DeploymentApplyConfiguration {
	return appsapply.Deployment(name, "").WithSpec(appsapply.DeploymentSpec().
		WithReplicas(2).WithSelector(selector(name)).WithTemplate(podTemplate(name, annotations)))
}

func statefulSet(name string) *appsapply.StatefulSetApplyConfiguration {
	claim := coreapply.PersistentVolumeClaim("data", "").WithSpec(coreapply.PersistentVolumeClaimSpec().
		WithAccessModes(corev1.ReadWriteOnce).
		WithResources(coreapply.VolumeResourceRequirements().
			WithRequests(corev1.ResourceList{corev1.ResourceStorage: resource.MustParse("1Gi")})))
	return appsapply.StatefulSet(name, "").WithSpec(appsapply.StatefulSetSpec().
		WithReplicas(2).WithSelector(selector(name)).WithTemplate(podTemplate(name, nil)).
		WithVolumeClaimTemplates(claim))
}

func daemonSet(name string) *appsapply.DaemonSetApplyConfiguration {
	return appsapply.DaemonSet(name, "").WithSpec(appsapply.DaemonSetSpec().
		WithSelector(selector(name)).WithTemplate(podTemplate(name, nil)))
}

func job(name string, annotations map[string]string) *batchapply.JobApplyConfiguration {
	template := podTemplate(name, annotations)
	template.Spec.WithRestartPolicy(corev1.RestartPolicyNever)
	return batchapply.Job(name, "").WithSpec(batchapply.JobSpec().WithBackoffLimit(0).WithTemplate(template))
}

func loadBalancer(name string) *coreapply.ServiceApplyConfiguration {
	return coreapply.Service(name, "").WithSpec(coreapply.ServiceSpec().
		WithType(corev1.ServiceTypeLoadBalancer).
		WithPorts(coreapply.ServicePort().WithPort(80)))
}

func configMap(name, value string) *coreapply.ConfigMapApplyConfiguration {
	return coreapply.ConfigMap(name, "").WithData(map[string]string{"key": value})
}

func readinessGate(kind corev1.PodConditionType) *coreapply.PodReadinessGateApplyConfiguration {
	return coreapply.PodReadinessGate().WithConditionType(kind)
}

func tokenRequest() *authenticationv1.TokenRequest { return &authenticationv1.TokenRequest{} }

// viewers lets a service account of the namespace read what is in it.
func viewers(account, namespace string) *rbacapply.RoleBindingApplyConfiguration {
	return rbacapply.RoleBinding("viewers", "").
		WithRoleRef(rbacapply.RoleRef().WithAPIGroup(rbacv1.GroupName).WithKind("ClusterRole").WithName("view")).
		WithSubjects(rbacapply.Subject().WithKind(rbacv1.ServiceAccountKind).WithName(account).WithNamespace(namespace))
}

var (
	definitionResource = schema.GroupVersionResource{Group: "apiextensions.k8s.io", Version: "v1", Resource: "customresourcedefinitions"}
	widgetResource     = schema.GroupVersionResource{Group: "example.com", Version: "v1", Resource: "widgets"}
)

type object = map[string]any

// widgetDefinition defines a resource with a size of at most 10.
func widgetDefinition() *unstructured.Unstructured {
	size := object{"type": "integer", "maximum": int64(10)}
	spec := object{"type": "object", "properties": object{"size": size}}
	return &unstructured.Unstructured{Object: object{
		"apiVersion": "apiextensions.k8s.io/v1",
		"kind":       "CustomResourceDefinition",
		"metadata":   object{"name": "widgets.example.com"},
		"spec": object{
			"group": "example.com",
			"scope": "Namespaced",
			"names": object{"kind": "Widget", "plural": "widgets", "singular": "widget"},
			"versions": []any{object{
				"name": "v1", "served": true, "storage": true,
				"schema": object{"openAPIV3Schema": object{"type": "object", "properties": object{"spec": spec}}},
			}},
		},
	}}
}

func widget(name string, size int64) *unstructured.Unstructured {
	return &unstructured.Unstructured{Object: object{
		"apiVersion": "example.com/v1",
		"kind":       "Widget",
		"metadata":   object{"name": name},
		"spec":       object{"size": size},
	}}
}

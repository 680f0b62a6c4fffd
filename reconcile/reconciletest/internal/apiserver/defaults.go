package apiserver

import (
	"fmt"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/intstr"
	utilrand "k8s.io/apimachinery/pkg/util/rand"
)

// setDefaults sets the few fields that those who read an object need. The real
// server sets many more, with code that no library has.
func setDefaults(o runtime.Object) {
	switch o := o.(type) {
	case *corev1.Namespace:
		if o.Name != "" {
			o.Labels = with(o.Labels, corev1.LabelMetadataName, o.Name)
		}
	case *corev1.Service:
		setServiceDefaults(o)
	case *appsv1.Deployment:
		o.Spec.Replicas = orOne(o.Spec.Replicas)
	case *appsv1.StatefulSet:
		o.Spec.Replicas = orOne(o.Spec.Replicas)
	case *appsv1.ReplicaSet:
		o.Spec.Replicas = orOne(o.Spec.Replicas)
	}
}

func with(labels map[string]string, name, value string) map[string]string {
	if labels == nil {
		labels = map[string]string{}
	}
	labels[name] = value
	return labels
}

func orOne(replicas *int32) *int32 {
	if replicas == nil {
		replicas = new(int32(1))
	}
	return replicas
}

func setServiceDefaults(s *corev1.Service) {
	if s.Spec.Type == "" {
		s.Spec.Type = corev1.ServiceTypeClusterIP
	}
	for i := range s.Spec.Ports {
		p := &s.Spec.Ports[i]
		if p.Protocol == "" {
			p.Protocol = corev1.ProtocolTCP
		}
		if p.TargetPort == (intstr.IntOrString{}) {
			p.TargetPort = intstr.FromInt32(p.Port)
		}
	}
}

// newAddress returns an address for a service.
func newAddress() string {
	return fmt.Sprintf("10.96.%d.%d", utilrand.Intn(256), utilrand.IntnRange(1, 255))
}

package fake

import (
	"context"
	"net/netip"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	corelisters "k8s.io/client-go/listers/core/v1"
	"k8s.io/client-go/tools/cache"
)

// loadBalancers gives an address to services that ask for a load balancer.
type loadBalancers struct {
	client   kubernetes.Interface
	services corelisters.ServiceLister
}

func startLoadBalancers(ctx context.Context, client kubernetes.Interface, factory informers.SharedInformerFactory) error {
	services := factory.Core().V1().Services()
	l := &loadBalancers{client: client, services: services.Lister()}
	return startLoop(ctx, l.sync, services.Informer())
}

func (l *loadBalancers) sync(ctx context.Context, name cache.ObjectName) (time.Duration, error) {
	service, err := l.services.Services(name.Namespace).Get(name.Name)
	if err != nil {
		return 0, ignoreGone(err)
	}
	if service.Spec.Type != corev1.ServiceTypeLoadBalancer || len(service.Status.LoadBalancer.Ingress) > 0 {
		return 0, nil
	}
	if f, err := faultsOf(service.Annotations); err != nil || f.pending {
		return 0, err
	}
	service = service.DeepCopy()
	service.Status.LoadBalancer.Ingress = []corev1.LoadBalancerIngress{{IP: publicAddress(service.Spec.ClusterIP)}}
	_, err = l.client.CoreV1().Services(service.Namespace).UpdateStatus(ctx, service, metav1.UpdateOptions{})
	if apierrors.IsConflict(err) {
		return 0, nil // the newer service comes with the next event
	}
	return 0, ignoreGone(err)
}

// publicAddress maps a cluster address, which is unique, into the network
// 198.18.0.0/15, which is set aside for tests.
func publicAddress(clusterIP string) string {
	addr, err := netip.ParseAddr(clusterIP)
	if err != nil || !addr.Is4() {
		return "198.19.255.254"
	}
	b := addr.As4()
	return netip.AddrFrom4([4]byte{198, 18, b[2], b[3]}).String()
}

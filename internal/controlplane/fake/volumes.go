package fake

import (
	"context"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	storagev1 "k8s.io/api/storage/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	corelisters "k8s.io/client-go/listers/core/v1"
	storagelisters "k8s.io/client-go/listers/storage/v1"
	"k8s.io/client-go/tools/cache"
	"k8s.io/utils/ptr"
)

const (
	// provisionerAnnotation is how the volume controller asks for a volume.
	provisionerAnnotation = "volume.kubernetes.io/storage-provisioner"
	provisionedAnnotation = "pv.kubernetes.io/provisioned-by"
	defaultAnnotation     = "storageclass.kubernetes.io/is-default-class"
)

// volumes provisions volumes, for the storage classes of every provisioner that
// is not built into Kubernetes, and deletes them when they are released.
type volumes struct {
	client  kubernetes.Interface
	claims  corelisters.PersistentVolumeClaimLister
	volumes corelisters.PersistentVolumeLister
	classes storagelisters.StorageClassLister
}

func startVolumes(ctx context.Context, client kubernetes.Interface, factory informers.SharedInformerFactory) error {
	_, err := client.StorageV1().StorageClasses().Create(ctx, &storagev1.StorageClass{
		ObjectMeta:  metav1.ObjectMeta{Name: "standard", Annotations: map[string]string{defaultAnnotation: "true"}},
		Provisioner: "test.strata.dev",
	}, metav1.CreateOptions{})
	if err != nil && !apierrors.IsAlreadyExists(err) {
		return fmt.Errorf("making the default storage class: %w", err)
	}
	claims := factory.Core().V1().PersistentVolumeClaims()
	existing := factory.Core().V1().PersistentVolumes()
	classes := factory.Storage().V1().StorageClasses()
	v := &volumes{client: client, claims: claims.Lister(), volumes: existing.Lister(), classes: classes.Lister()}
	if err := startLoop(ctx, v.provision, claims.Informer(), classes.Informer()); err != nil {
		return err
	}
	return startLoop(ctx, v.release, existing.Informer())
}

// provision makes the volume for a claim; the volume controller then binds them.
func (v *volumes) provision(ctx context.Context, name cache.ObjectName) (time.Duration, error) {
	claim, err := v.claims.PersistentVolumeClaims(name.Namespace).Get(name.Name)
	if err != nil {
		return 0, ignoreGone(err)
	}
	provisioner := claim.Annotations[provisionerAnnotation]
	if provisioner == "" || claim.Spec.VolumeName != "" || claim.DeletionTimestamp != nil {
		return 0, nil
	}
	if f, err := faultsOf(claim.Annotations); err != nil || f.pending {
		return 0, err
	}
	class, err := v.classes.Get(ptr.Deref(claim.Spec.StorageClassName, ""))
	if err != nil {
		return 0, err // the claim may have been seen before its class
	}
	_, err = v.client.CoreV1().PersistentVolumes().Create(ctx, volumeFor(claim, class, provisioner), metav1.CreateOptions{})
	if apierrors.IsAlreadyExists(err) {
		return 0, nil
	}
	return 0, err
}

// volumeFor describes a volume for the claim. The path on the node is never used.
func volumeFor(claim *corev1.PersistentVolumeClaim, class *storagev1.StorageClass, provisioner string) *corev1.PersistentVolume {
	name := "pvc-" + string(claim.UID)
	return &corev1.PersistentVolume{
		ObjectMeta: metav1.ObjectMeta{Name: name, Annotations: map[string]string{provisionedAnnotation: provisioner}},
		Spec: corev1.PersistentVolumeSpec{
			Capacity:                      claim.Spec.Resources.Requests,
			AccessModes:                   claim.Spec.AccessModes,
			VolumeMode:                    claim.Spec.VolumeMode,
			StorageClassName:              class.Name,
			PersistentVolumeReclaimPolicy: ptr.Deref(class.ReclaimPolicy, corev1.PersistentVolumeReclaimDelete),
			ClaimRef: &corev1.ObjectReference{
				APIVersion: "v1", Kind: "PersistentVolumeClaim",
				Namespace: claim.Namespace, Name: claim.Name, UID: claim.UID,
			},
			PersistentVolumeSource: corev1.PersistentVolumeSource{
				HostPath: &corev1.HostPathVolumeSource{Path: "/strata-test-volumes/" + name},
			},
		},
	}
}

// release deletes a volume of ours whose claim is gone.
func (v *volumes) release(ctx context.Context, name cache.ObjectName) (time.Duration, error) {
	volume, err := v.volumes.Get(name.Name)
	if err != nil {
		return 0, ignoreGone(err)
	}
	ours := volume.Annotations[provisionedAnnotation] != ""
	if !ours || volume.Status.Phase != corev1.VolumeReleased || volume.DeletionTimestamp != nil ||
		volume.Spec.PersistentVolumeReclaimPolicy != corev1.PersistentVolumeReclaimDelete {
		return 0, nil
	}
	return 0, ignoreGone(v.client.CoreV1().PersistentVolumes().Delete(ctx, volume.Name, metav1.DeleteOptions{}))
}

package apiserver

import (
	"fmt"
	"reflect"
	"regexp"
	"strings"
	"sync"

	apiextensions "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/apimachinery/pkg/util/managedfields"
	"k8s.io/apimachinery/pkg/version"
	"k8s.io/client-go/applyconfigurations"
	"k8s.io/client-go/kubernetes"
	clientscheme "k8s.io/client-go/kubernetes/scheme"
)

// A kind is one kind of object, in one version, and how it is served.
type kind struct {
	schema.GroupVersionKind
	resource   string // in the plural
	namespaced bool
	status     bool // it has this subresource
	scale      bool // and this
	generation bool // counts changes of what is wanted
	converter  managedfields.TypeConverter
	custom     *custom // nil for what is built in

	managers map[string]*managedfields.FieldManager // by subresource
}

func (k *kind) groupResource() schema.GroupResource {
	return schema.GroupResource{Group: k.Group, Resource: k.resource}
}

func (k *kind) gvr() schema.GroupVersionResource { return k.GroupVersion().WithResource(k.resource) }

// A catalogue is what every server has.
type catalogue struct {
	scheme *runtime.Scheme
	codecs serializer.CodecFactory
	kinds  []kind
	models *models
}

// loadCatalogue makes the catalogue once for the process, as it takes a while
// and is not changed.
//
//nolint:gochecknoglobals // it is computed, and never changed
var loadCatalogue = sync.OnceValues(func() (*catalogue, error) {
	scheme := runtime.NewScheme()
	if err := clientscheme.AddToScheme(scheme); err != nil {
		return nil, err
	}
	if err := apiextensions.AddToScheme(scheme); err != nil {
		return nil, err
	}
	metav1.AddToGroupVersion(scheme, metav1.SchemeGroupVersion) // options of a deletion
	models, err := loadModels()
	if err != nil {
		return nil, err
	}
	kinds, err := builtIn(scheme, applyconfigurations.NewTypeConverter(scheme))
	kinds = append(kinds, kind{
		GroupVersionKind: definitionKind,
		resource:         "customresourcedefinitions", status: true, generation: true, converter: models.converter,
	})
	return &catalogue{scheme, serializer.NewCodecFactory(scheme, serializer.EnableStrict), kinds, models}, err
})

// Versions that a server has without being asked to are v1, v2, ...
var stable = regexp.MustCompile(`^v\d+$`)

// builtIn finds the kinds that client-go's typed clients know: there they are
// with their names in the plural, their scope and their subresources. Of several
// stable versions of a kind it takes the newest.
func builtIn(scheme *runtime.Scheme, converter managedfields.TypeConverter) ([]kind, error) {
	newest := map[schema.GroupResource]kind{}
	for group := range reflect.TypeFor[kubernetes.Interface]().Methods() {
		if group.Type.NumIn() > 0 || group.Type.NumOut() != 1 || group.Type.Out(0).Kind() != reflect.Interface {
			continue
		}
		for client := range group.Type.Out(0).Methods() {
			k, ok, err := served(scheme, client)
			if err != nil {
				return nil, err
			}
			known := newest[k.groupResource()]
			if ok && version.CompareKubeAwareVersionStrings(k.Version, known.Version) > 0 {
				k.converter = converter
				newest[k.groupResource()] = k
			}
		}
	}
	kinds := make([]kind, 0, len(newest))
	for _, k := range newest {
		kinds = append(kinds, k)
	}
	return kinds, nil
}

// served reads a kind from the method that returns its client.
func served(scheme *runtime.Scheme, m reflect.Method) (k kind, ok bool, err error) {
	if m.Type.NumOut() != 1 || m.Type.Out(0).Kind() != reflect.Interface {
		return kind{}, false, nil
	}
	client := m.Type.Out(0)
	get, ok := client.MethodByName("Get")
	if _, listed := client.MethodByName("List"); !ok || !listed {
		return kind{}, false, nil // a review, which is not kept
	}
	object, ok := reflect.TypeAssert[runtime.Object](reflect.New(get.Type.Out(0).Elem()))
	if !ok {
		return kind{}, false, fmt.Errorf("%s: %s is no object", m.Name, get.Type.Out(0))
	}
	gvks, _, err := scheme.ObjectKinds(object)
	if err != nil {
		return kind{}, false, err
	}
	_, status := client.MethodByName("UpdateStatus")
	_, scale := client.MethodByName("GetScale")
	k = kind{
		GroupVersionKind: gvks[0], resource: strings.ToLower(m.Name), namespaced: m.Type.NumIn() == 1,
		status: status, scale: scale, generation: counted[gvks[0].Group] || counted[gvks[0].GroupKind().String()],
	}
	return k, stable.MatchString(k.Version) && k.Kind != "ComponentStatus", nil
}

// counted are the groups, and kinds of other groups, whose objects have a
// generation: the strategies of the API server say so, and no schema does.
var counted = map[string]bool{
	"apps": true, "batch": true, "policy": true, "admissionregistration.k8s.io": true,
	"flowcontrol.apiserver.k8s.io": true, "discovery.k8s.io": true, "scheduling.k8s.io": true,
	"Pod": true, "PodTemplate": true, "ReplicationController": true,
	"Ingress.networking.k8s.io": true, "IngressClass.networking.k8s.io": true, "NetworkPolicy.networking.k8s.io": true,
}

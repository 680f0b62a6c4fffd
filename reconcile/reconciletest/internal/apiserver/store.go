package apiserver

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
)

// object is an object as it is stored. What is stored is never changed, only
// replaced.
type object = *unstructured.Unstructured

// A store keeps objects, and what became of them.
type store struct {
	objects map[schema.GroupResource]map[types.NamespacedName]object
	version int64
	events  []event
	oldest  int64         // events up to this version are forgotten
	changed chan struct{} // closed, and replaced, when there are new events
}

// An event is one change of an object: one of before and after may be nil.
type event struct {
	version       int64
	resource      schema.GroupResource
	before, after object
}

func newStore() store {
	return store{objects: map[schema.GroupResource]map[types.NamespacedName]object{}, changed: make(chan struct{})}
}

func nameOf(o object) types.NamespacedName {
	return types.NamespacedName{Namespace: o.GetNamespace(), Name: o.GetName()}
}

func (s *store) get(r schema.GroupResource, name types.NamespacedName) object {
	return s.objects[r][name]
}

// list returns the objects of all namespaces, or of one, in the order of their keys.
func (s *store) list(r schema.GroupResource, namespace string) []object {
	var all []object
	for _, o := range s.objects[r] {
		if namespace == "" || o.GetNamespace() == namespace {
			all = append(all, o)
		}
	}
	slices.SortFunc(all, func(a, b object) int { return strings.Compare(nameOf(a).String(), nameOf(b).String()) })
	return all
}

// put stores an object, with a new version, which it sets.
func (s *store) put(r schema.GroupResource, o object) {
	before := s.get(r, nameOf(o))
	if s.objects[r] == nil {
		s.objects[r] = map[types.NamespacedName]object{}
	}
	s.objects[r][nameOf(o)] = o
	s.happened(r, before, o)
	o.SetResourceVersion(strconv.FormatInt(s.version, 10))
}

// remove removes an object. Who watches sees it with the version of its end.
func (s *store) remove(r schema.GroupResource, o object) {
	delete(s.objects[r], nameOf(o))
	last := o.DeepCopy()
	s.happened(r, last, nil)
	last.SetResourceVersion(strconv.FormatInt(s.version, 10))
}

func (s *store) happened(r schema.GroupResource, before, after object) {
	s.version++
	s.events = append(s.events, event{s.version, r, before, after})
	close(s.changed)
	s.changed = make(chan struct{})
}

// since returns the events after a version, and whether all of them are known.
func (s *store) since(version int64) ([]event, bool) {
	if version < s.oldest {
		return nil, false
	}
	i, _ := slices.BinarySearchFunc(s.events, version+1, func(e event, v int64) int { return int(e.version - v) })
	return s.events[i:], true
}

// forget forgets all events.
func (s *store) forget() { s.events, s.oldest = nil, s.version }

// resources returns the resources of which there are objects.
func (s *store) resources() []schema.GroupResource {
	return slices.SortedFunc(maps.Keys(s.objects), func(a, b schema.GroupResource) int { return strings.Compare(a.String(), b.String()) })
}

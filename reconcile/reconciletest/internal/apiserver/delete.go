package apiserver

import (
	"fmt"
	"slices"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
)

// serveDelete serves a DELETE of one object.
func (s *Server) serveDelete(q *request) (any, error) {
	if q.subresource != "" {
		return nil, apierrors.NewMethodNotSupported(q.groupResource(), "delete")
	}
	options, err := s.deleteOptions(q)
	if err != nil {
		return nil, err
	}
	o, err := s.find(q)
	if err != nil {
		return nil, err
	}
	if err := q.meets(o, options.Preconditions); err != nil {
		return nil, err
	}
	dry := q.dryRun()
	if !dry && len(options.DryRun) == 0 {
		s.erase(q.groupResource(), o, policy(options))
	}
	if left := s.store.get(q.groupResource(), q.name); left != nil && !dry {
		return q.view(left), nil
	}
	return metav1.Status{
		TypeMeta: metav1.TypeMeta{Kind: "Status", APIVersion: "v1"}, Status: metav1.StatusSuccess,
		Details: &metav1.StatusDetails{Name: q.name.Name, Group: q.Group, Kind: q.resource, UID: o.GetUID()},
	}, nil
}

// deleteCollection serves a DELETE of many objects.
func (s *Server) deleteCollection(q *request) (any, error) {
	options, err := s.deleteOptions(q)
	if err != nil {
		return nil, err
	}
	match, err := q.selector()
	if err != nil {
		return nil, err
	}
	dry := q.dryRun()
	list := objectList{TypeMeta: q.listType(), Items: []any{}}
	for _, o := range s.store.list(q.groupResource(), q.name.Namespace) {
		if !match(o) {
			continue
		}
		list.Items = append(list.Items, q.item(o))
		if !dry && len(options.DryRun) == 0 {
			s.erase(q.groupResource(), o, policy(options))
		}
	}
	return list, nil
}

// deleteOptions are in the body, or in the query.
func (s *Server) deleteOptions(q *request) (*metav1.DeleteOptions, error) {
	options := &metav1.DeleteOptions{}
	if len(q.body) > 0 {
		if err := s.readInto(q, schema.GroupVersionKind{Version: "v1", Kind: "DeleteOptions"}, options); err != nil {
			return nil, err
		}
	}
	if p := metav1.DeletionPropagation(q.query.Get("propagationPolicy")); p != "" {
		options.PropagationPolicy = &p
	}
	return options, nil
}

func policy(o *metav1.DeleteOptions) metav1.DeletionPropagation {
	if o.PropagationPolicy == nil {
		return metav1.DeletePropagationBackground
	}
	return *o.PropagationPolicy
}

// meets checks the preconditions of a deletion.
func (q *request) meets(o object, p *metav1.Preconditions) error {
	if p == nil {
		return nil
	}
	var err error
	if p.UID != nil && *p.UID != o.GetUID() {
		err = fmt.Errorf("the UID in the precondition (%s) does not match the UID in record (%s). The object might have been deleted and then recreated", *p.UID, o.GetUID())
	} else if p.ResourceVersion != nil && *p.ResourceVersion != o.GetResourceVersion() {
		err = fmt.Errorf("the ResourceVersion in the precondition (%s) does not match the ResourceVersion in record (%s). The object might have been modified", *p.ResourceVersion, o.GetResourceVersion())
	}
	if err != nil {
		return apierrors.NewConflict(schema.GroupResource{Group: q.Group, Resource: q.Kind}, q.name.Name, err)
	}
	return nil
}

// erase removes an object, or marks it if something keeps it. Grace periods are
// not waited for.
func (s *Server) erase(r schema.GroupResource, o object, p metav1.DeletionPropagation) {
	finalizers := o.GetFinalizers()
	switch {
	case p == metav1.DeletePropagationOrphan:
		s.orphan(o.GetUID())
	case p == metav1.DeletePropagationForeground && len(s.dependents(o.GetUID())) > 0:
		finalizers = append(slices.Clone(finalizers), metav1.FinalizerDeleteDependents)
	}
	if r == definitionResource && !slices.Contains(finalizers, cleanup) {
		finalizers = append(slices.Clone(finalizers), cleanup)
	}
	if o.GetDeletionTimestamp() != nil && len(finalizers) == len(o.GetFinalizers()) {
		return
	}
	marked := o.DeepCopy()
	marked.SetFinalizers(finalizers)
	if finished(marked) {
		s.store.remove(r, o)
		return
	}
	now, none := metav1.Now(), int64(0)
	marked.SetDeletionTimestamp(&now)
	marked.SetDeletionGracePeriodSeconds(&none)
	if marked.GetGeneration() > 0 {
		marked.SetGeneration(marked.GetGeneration() + 1)
	}
	if r == namespaceResource {
		_ = unstructured.SetNestedField(marked.Object, "Terminating", "status", "phase")
	}
	s.store.put(r, marked)
}

// dependents returns the objects that have an owner.
func (s *Server) dependents(owner types.UID) []owned {
	var all []owned
	for _, r := range s.store.resources() {
		for _, o := range s.store.list(r, "") {
			for _, ref := range o.GetOwnerReferences() {
				if ref.UID == owner {
					all = append(all, owned{r, o})
				}
			}
		}
	}
	return all
}

type owned struct {
	resource schema.GroupResource
	object   object
}

// orphan makes an owner's objects nobody's.
func (s *Server) orphan(owner types.UID) {
	for _, d := range s.dependents(owner) {
		s.disown(d, func(uid types.UID) bool { return uid == owner })
	}
}

func (s *Server) disown(d owned, by func(types.UID) bool) {
	o := d.object.DeepCopy()
	refs := slices.DeleteFunc(o.GetOwnerReferences(), func(r metav1.OwnerReference) bool { return by(r.UID) })
	o.SetOwnerReferences(refs)
	if len(refs) == 0 {
		unstructured.RemoveNestedField(o.Object, "metadata", "ownerReferences")
	}
	s.store.put(d.resource, o)
}

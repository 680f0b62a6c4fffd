package apiserver

import (
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
)

// settle lets the controllers see what was written, and what they wrote about
// it, until they have nothing to do.
func (s *Server) settle() {
	for s.settled < s.store.version {
		events, known := s.store.since(s.settled)
		s.settled = s.store.version
		if !known {
			continue // New forgets nothing, and Forget comes after settling
		}
		garbage := false
		for _, e := range slices.Clone(events) {
			now := e.after
			if now != nil {
				now = s.store.get(e.resource, nameOf(now))
			}
			garbage = garbage || now == nil || now.GetDeletionTimestamp() != nil || len(now.GetOwnerReferences()) > 0
			s.react(e, now)
		}
		if garbage {
			s.collect()
			s.drain()
		}
	}
}

// react does what controllers do about one object.
func (s *Server) react(e event, now object) {
	switch e.resource {
	case definitionResource:
		s.define(e, now)
	case namespaceResource:
		if e.before == nil && now != nil {
			s.furnish(now.GetName())
		}
	}
	if now != nil && now.GetDeletionTimestamp() == nil && s.controller != nil {
		s.controller.Written(Writer{s}, now)
	}
}

// furnish makes what every namespace has.
func (s *Server) furnish(namespace string) {
	account := &unstructured.Unstructured{Object: map[string]any{"apiVersion": "v1", "kind": "ServiceAccount"}}
	account.SetName("default")
	authority := &unstructured.Unstructured{Object: map[string]any{"apiVersion": "v1", "kind": "ConfigMap", "data": map[string]any{"ca.crt": ""}}}
	authority.SetName("kube-root-ca.crt")
	for _, o := range []object{account, authority} {
		o.SetNamespace(namespace)
		_ = Writer{s}.Create(o) // it is there, or the namespace is going
	}
}

// collect deletes what has owners of which none is left, and ends what waits
// for its dependents.
func (s *Server) collect() {
	alive := map[types.UID]bool{}
	for _, r := range s.store.resources() {
		for _, o := range s.store.list(r, "") {
			alive[o.GetUID()] = true
		}
	}
	for _, r := range s.store.resources() {
		for _, o := range s.store.list(r, "") {
			refs := o.GetOwnerReferences()
			left := slices.DeleteFunc(slices.Clone(refs), func(ref metav1.OwnerReference) bool { return !alive[ref.UID] })
			switch {
			case len(refs) > 0 && len(left) == 0:
				s.erase(r, o, metav1.DeletePropagationBackground)
			case len(left) < len(refs):
				s.disown(owned{r, o}, func(uid types.UID) bool { return !alive[uid] })
			case slices.Contains(o.GetFinalizers(), metav1.FinalizerDeleteDependents) && o.GetDeletionTimestamp() != nil:
				s.foreground(r, o)
			}
		}
	}
}

// foreground deletes the dependents of an owner, and lets it go after them.
func (s *Server) foreground(r schema.GroupResource, owner object) {
	for _, d := range s.dependents(owner.GetUID()) {
		s.erase(d.resource, d.object, metav1.DeletePropagationForeground)
	}
	if len(s.dependents(owner.GetUID())) == 0 {
		s.release(r, owner, metav1.FinalizerDeleteDependents)
	}
}

// release takes a finalizer off an object, which goes if it was the last.
func (s *Server) release(r schema.GroupResource, o object, finalizer string) {
	o = o.DeepCopy()
	o.SetFinalizers(slices.DeleteFunc(o.GetFinalizers(), func(f string) bool { return f == finalizer }))
	if finished(o) {
		s.store.remove(r, o)
		return
	}
	s.store.put(r, o)
}

// drain empties the namespaces and definitions that shall go, and removes those
// that are empty.
func (s *Server) drain() {
	for _, ns := range s.store.list(namespaceResource, "") {
		if ns.GetDeletionTimestamp() == nil {
			continue
		}
		left := false
		for _, r := range s.store.resources() {
			for _, o := range s.store.list(r, ns.GetName()) {
				s.erase(r, o, metav1.DeletePropagationBackground)
			}
			left = left || len(s.store.list(r, ns.GetName())) > 0
		}
		if now := s.store.get(namespaceResource, nameOf(ns)); !left && now != nil && len(now.GetFinalizers()) == 0 {
			s.store.remove(namespaceResource, now)
		}
	}
	s.drainDefinitions()
}

// Create creates an object as the controllers do.
func (w Writer) Create(o *unstructured.Unstructured) error {
	q, err := w.request(o)
	if err != nil {
		return err
	}
	if w.server.store.get(q.groupResource(), q.name) != nil {
		return nil
	}
	ownership, err := q.ownership("")
	if err == nil {
		o, _, err = w.server.known(q.kind, o)
	}
	if err == nil {
		o, err = w.server.own(q, ownership, q.empty(), o)
	}
	if err == nil {
		_, err = w.server.insert(q, o)
	}
	return err
}

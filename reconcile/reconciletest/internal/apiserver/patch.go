package apiserver

import (
	"fmt"
	"strings"

	jsonpatch "gopkg.in/evanphx/json-patch.v4"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/strategicpatch"
)

// patch serves a PATCH, and reports whether the object is new.
func (s *Server) patch(q *request) (o object, created bool, err error) {
	media, _, _ := strings.Cut(q.Header.Get("Content-Type"), ";")
	if types.PatchType(media) == types.ApplyPatchType {
		return s.apply(q)
	}
	old, err := s.find(q)
	if err != nil {
		return nil, false, err
	}
	before, err := q.versioned(old).MarshalJSON()
	if err != nil {
		return nil, false, err
	}
	after, err := s.patched(q, types.PatchType(media), before)
	if err != nil {
		return nil, false, err
	}
	o, err = parseObject(after)
	if err != nil {
		return nil, false, err
	}
	if o, err = s.canonical(q, o); err != nil {
		return nil, false, err
	}
	if err := q.sameName(o); err != nil {
		return nil, false, err
	}
	o, err = s.change(q, old, o)
	return o, false, err
}

// patched returns what a patch makes of an object.
func (s *Server) patched(q *request, media types.PatchType, before []byte) ([]byte, error) {
	switch media {
	case types.MergePatchType:
		after, err := jsonpatch.MergePatch(before, q.body)
		return after, badRequest(err)
	case types.JSONPatchType:
		p, err := jsonpatch.DecodePatch(q.body)
		if err != nil {
			return nil, badRequest(err)
		}
		after, err := p.Apply(before)
		if err != nil {
			err = apierrors.NewGenericServerResponse(422, "", schema.GroupResource{}, "", err.Error(), 0, false)
		}
		return after, err
	case types.StrategicMergePatchType:
		if q.custom != nil {
			return nil, unsupported(string(media), "application/json-patch+json", "application/merge-patch+json", "application/apply-patch+yaml")
		}
		typed, err := s.catalogue.scheme.New(q.GroupVersionKind)
		if err != nil {
			return nil, err
		}
		after, err := strategicpatch.StrategicMergePatch(before, q.body, typed)
		return after, badRequest(err)
	default:
		return nil, unsupported(string(media), "application/json-patch+json", "application/merge-patch+json", "application/strategic-merge-patch+json", "application/apply-patch+yaml")
	}
}

func badRequest(err error) error {
	if err != nil {
		return apierrors.NewBadRequest(err.Error())
	}
	return nil
}

// apply serves server-side apply.
func (s *Server) apply(q *request) (o object, created bool, err error) {
	wanted, err := parseObject(q.body)
	if err != nil {
		return nil, false, err
	}
	if got := wanted.GroupVersionKind(); got.GroupKind() != q.GroupKind() {
		return nil, false, apierrors.NewBadRequest(fmt.Sprintf("the object provided is of another kind: it is %s, the path is for %s", got, q.GroupVersionKind))
	}
	if err := q.sameName(wanted); err != nil {
		return nil, false, err
	}
	old := s.store.get(q.groupResource(), q.name)
	if old == nil && q.subresource != "" {
		return nil, false, apierrors.NewNotFound(q.groupResource(), q.name.Name)
	}
	ownership, err := q.ownership(q.subresource)
	if err != nil {
		return nil, false, err
	}
	live := q.empty()
	if old != nil {
		live = q.versioned(old).DeepCopy()
	}
	merged, err := ownership.Apply(live, wanted, q.query.Get("fieldManager"), q.query.Get("force") == "true")
	if err != nil {
		return nil, false, err
	}
	if old == nil {
		if wanted.GetUID() != "" {
			return nil, false, apierrors.NewConflict(q.groupResource(), q.name.Name, fmt.Errorf("uid mismatch: the provided object specified uid %s, and no existing object was found", wanted.GetUID()))
		}
		o, err = s.insert(q, merged)
		return o, true, err
	}
	if m, err := asObject(merged); err == nil && q.subresource == "status" {
		managed := m.GetManagedFields()
		m = onlyStatus(q.versioned(old), m)
		m.SetManagedFields(managed)
		merged = m
	}
	o, err = s.update(q, old, merged)
	return o, false, err
}

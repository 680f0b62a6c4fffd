package apiserver

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strconv"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// A page is what is left of a list, as it was when its first page was read.
type page struct {
	version int64
	left    []object
}

// madeHere are the names that pages have.
var madeHere = regexp.MustCompile(`^\d+-\d+$`)

// An objectList is a list of objects of any kind.
type objectList struct {
	metav1.TypeMeta
	metav1.ListMeta `json:"metadata"`

	Items []any `json:"items"`
}

// MarshalJSON writes the list; that of the embedded types is not enough.
func (l objectList) MarshalJSON() ([]byte, error) {
	return json.Marshal(map[string]any{"apiVersion": l.APIVersion, "kind": l.Kind, "metadata": l.ListMeta, "items": l.Items})
}

// serveList serves a GET of many objects.
func (s *Server) serveList(q *request) (any, error) {
	match, err := q.selector()
	if err != nil {
		return nil, err
	}
	p, err := s.page(q, match)
	if err != nil {
		return nil, err
	}
	list := objectList{TypeMeta: q.listType(), ListMeta: metav1.ListMeta{ResourceVersion: strconv.FormatInt(p.version, 10)}, Items: []any{}}
	limit, err := strconv.Atoi(q.query.Get("limit"))
	if q.query.Get("limit") != "" && err != nil {
		return nil, apierrors.NewBadRequest(err.Error())
	}
	if limit > 0 && len(p.left) > limit {
		remaining := int64(len(p.left) - limit)
		list.Continue = fmt.Sprintf("%d-%d", p.version, len(s.pages))
		s.pages[list.Continue] = page{p.version, p.left[limit:]}
		if q.query.Get("labelSelector") == "" && q.query.Get("fieldSelector") == "" {
			list.RemainingItemCount = &remaining
		}
		p.left = p.left[:limit]
	}
	for _, o := range p.left {
		list.Items = append(list.Items, q.item(o))
	}
	return list, nil
}

func (s *Server) page(q *request, match func(object) bool) (page, error) {
	if token := q.query.Get("continue"); token != "" {
		p, ok := s.pages[token]
		if !madeHere.MatchString(token) {
			return page{}, apierrors.NewBadRequest("invalid continue token: " + token)
		}
		if !ok {
			return page{}, apierrors.NewResourceExpired("The provided continue parameter is too old to display a consistent list result.")
		}
		return p, nil
	}
	p := page{version: s.store.version}
	for _, o := range s.store.list(q.groupResource(), q.name.Namespace) {
		if match(o) {
			p.left = append(p.left, o)
		}
	}
	return p, nil
}

func (q *request) listType() metav1.TypeMeta {
	if q.accepts("as=PartialObjectMetadataList") || q.accepts("as=PartialObjectMetadata") {
		return metav1.TypeMeta{APIVersion: metav1.SchemeGroupVersion.String(), Kind: "PartialObjectMetadataList"}
	}
	return metav1.TypeMeta{APIVersion: q.GroupVersion().String(), Kind: q.Kind + "List"}
}

// item returns an object as it stands in a list: of what is built in without its
// kind, which the list tells.
func (q *request) item(o object) any {
	if q.accepts("as=PartialObjectMetadataList") || q.accepts("as=PartialObjectMetadata") || q.custom != nil {
		return q.view(o)
	}
	content := make(map[string]any, len(o.Object))
	for name, v := range o.Object {
		if name != "kind" && name != "apiVersion" {
			content[name] = v
		}
	}
	return content
}

// selector returns what the selectors of a request, and the name in it, match.
func (q *request) selector() (func(object) bool, error) {
	byLabel, err := labels.Parse(q.query.Get("labelSelector"))
	if err != nil {
		return nil, apierrors.NewBadRequest(err.Error())
	}
	byField, err := fields.ParseSelector(q.query.Get("fieldSelector"))
	if err != nil {
		return nil, apierrors.NewBadRequest(err.Error())
	}
	for _, r := range byField.Requirements() {
		if r.Field != "metadata.name" && r.Field != "metadata.namespace" {
			return nil, apierrors.NewBadRequest(fmt.Sprintf("field label not supported: %s", r.Field))
		}
	}
	return func(o object) bool {
		set := fields.Set{"metadata.name": o.GetName(), "metadata.namespace": o.GetNamespace()}
		return byLabel.Matches(labels.Set(o.GetLabels())) && byField.Matches(set)
	}, nil
}

// inScope reports whether an event is of the resource and namespace of a request.
func (q *request) inScope(e event, r schema.GroupResource) bool {
	o := e.after
	if o == nil {
		o = e.before
	}
	return e.resource == r && (q.name.Namespace == "" || o.GetNamespace() == q.name.Namespace)
}

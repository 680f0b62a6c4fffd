package apiserver

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/validation"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

// A request is a request about objects.
type request struct {
	*http.Request
	*kind
	name        types.NamespacedName // of the object, or the namespace of many
	subresource string
	query       url.Values
	body        []byte
}

// parse finds out what a request is about. It returns nil for a path that the
// server does not have.
func (s *Server) parse(r *http.Request) (*request, error) {
	gv, rest, ok := splitPath(r.URL.Path)
	if !ok {
		return nil, nil
	}
	q := &request{Request: r, query: r.URL.Query()}
	if len(rest) > 1 && rest[0] == "namespaces" {
		q.name.Namespace = rest[1]
		if len(rest) > 2 && rest[2] != "status" && rest[2] != "finalize" {
			rest = rest[2:]
		}
	}
	q.kind = s.kinds[gv.WithResource(rest[0])]
	if q.kind == nil || q.name.Namespace != "" && !q.namespaced && rest[0] != "namespaces" {
		return nil, nil
	}
	if !q.namespaced {
		q.name.Namespace = ""
	}
	if len(rest) > 1 {
		q.name.Name = rest[1]
	}
	if len(rest) > 2 {
		q.subresource = strings.Join(rest[2:], "/")
	}
	if known := q.subresource == "" || q.subresource == "status" && q.status || q.subresource == "scale" && q.scale; !known {
		return nil, nil
	}
	if q.namespaced && q.name.Name != "" && q.name.Namespace == "" {
		return nil, nil
	}
	return q, q.read()
}

// splitPath splits /api/v1/... and /apis/GROUP/VERSION/...
func splitPath(path string) (gv schema.GroupVersion, rest []string, ok bool) {
	parts := strings.Split(strings.Trim(path, "/"), "/")
	switch {
	case len(parts) > 2 && parts[0] == "api":
		return schema.GroupVersion{Version: parts[1]}, parts[2:], true
	case len(parts) > 3 && parts[0] == "apis":
		return schema.GroupVersion{Group: parts[1], Version: parts[2]}, parts[3:], true
	}
	return schema.GroupVersion{}, nil, false
}

// largest is how large a body may be, in bytes, as etcd has it by default.
const largest = 3 << 20

func (q *request) read() error {
	if q.Body == nil {
		return nil
	}
	var err error
	q.body, err = io.ReadAll(io.LimitReader(q.Body, largest+1))
	if err != nil {
		return apierrors.NewBadRequest(err.Error())
	}
	if len(q.body) > largest {
		return apierrors.NewRequestEntityTooLargeError(fmt.Sprintf("limit is %d", largest))
	}
	return nil
}

// dryRun reports whether nothing is to be kept.
func (q *request) dryRun() bool { return q.query.Has("dryRun") }

// checkOptions checks the options of a request that writes.
func (q *request) checkOptions() error {
	at, dry, manager := field.NewPath("dryRun"), q.query["dryRun"], q.query.Get("fieldManager")
	var options string
	problems := validation.ValidateDryRun(at, dry)
	switch q.Method {
	case http.MethodPost:
		options = "CreateOptions"
	case http.MethodPut:
		options = "UpdateOptions"
	case http.MethodPatch:
		options = "PatchOptions"
		media, _, _ := strings.Cut(q.Header.Get("Content-Type"), ";")
		patch := &metav1.PatchOptions{DryRun: dry, FieldManager: manager}
		if q.query.Has("force") {
			patch.Force = new(q.query.Get("force") == "true")
		}
		problems = validation.ValidatePatchOptions(patch, types.PatchType(media))
	default:
		options = "DeleteOptions"
	}
	if q.Method == http.MethodPost || q.Method == http.MethodPut {
		problems = append(problems, validation.ValidateFieldManager(manager, field.NewPath("fieldManager"))...)
	}
	if len(problems) == 0 {
		return nil
	}
	return apierrors.NewInvalid(schema.GroupKind{Group: metav1.GroupName, Kind: options}, "", problems)
}

// manager is who the fields belong to that the request sets: who does not say so
// is known by the first word of its user agent.
func (q *request) manager() string {
	if m := q.query.Get("fieldManager"); m != "" {
		return m
	}
	name, _, _ := strings.Cut(q.UserAgent(), "/")
	return name[:min(len(name), 128)]
}

// accepts reports whether the client takes an answer in a form, given as the
// parameters of a media type: "as=PartialObjectMetadata".
func (q *request) accepts(form string) bool {
	for header := range strings.SplitSeq(q.Header.Get("Accept"), ",") {
		parts := strings.Split(strings.ReplaceAll(header, " ", ""), ";")
		if parts[0] == "application/json" && slices.Contains(parts[1:], form) {
			return true
		}
	}
	return false
}

// acceptable says whether the client takes JSON at all: it is what we have.
func acceptable(r *http.Request) error {
	accept := r.Header.Get("Accept")
	for header := range strings.SplitSeq(accept, ",") {
		switch media, _, _ := strings.Cut(strings.TrimSpace(header), ";"); media {
		case "", "*/*", "application/*", "application/json":
			return nil
		}
	}
	return &apierrors.StatusError{ErrStatus: metav1.Status{
		Status: metav1.StatusFailure, Code: http.StatusNotAcceptable, Reason: metav1.StatusReasonNotAcceptable,
		Message: "only the following media types are accepted: application/json",
	}}
}

func unsupported(media string, known ...string) error {
	return &apierrors.StatusError{ErrStatus: metav1.Status{
		Status: metav1.StatusFailure, Code: http.StatusUnsupportedMediaType, Reason: metav1.StatusReasonUnsupportedMediaType,
		Message: fmt.Sprintf("the body of the request was in an unknown format (%s) - accepted media types include: %s", media, strings.Join(known, ", ")),
	}}
}

var errModified = errors.New("the object has been modified; please apply your changes to the latest version and try again")

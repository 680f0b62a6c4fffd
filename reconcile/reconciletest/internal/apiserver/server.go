package apiserver

import (
	"encoding/json"
	"net/http"
	"strconv"
	"sync"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
)

// A Server is an API server and what it stores. Make it with [New]; it is safe
// for concurrent use. One request is served after the other, and what the
// controllers do about it is done before it is answered.
type Server struct {
	version    string
	controller Controller

	mu        sync.Mutex
	catalogue *catalogue
	kinds     map[schema.GroupVersionResource]*kind
	store     store
	settled   int64 // events up to this version were seen by the controllers
	pages     map[string]page
}

// A Controller is told of each object that was written, as it is now. It may
// write its status with [Writer.SetStatus], and must do nothing else to s.
type Controller interface {
	Written(w Writer, o *unstructured.Unstructured)
}

// A Writer writes for controllers while no request is served.
type Writer struct{ server *Server }

// New returns a server that says it is of the version, with the namespaces that
// every cluster has. The controller may be nil.
func New(version string, controller Controller) (*Server, error) {
	catalogue, err := loadCatalogue()
	if err != nil {
		return nil, err
	}
	s := &Server{version: version, controller: controller, catalogue: catalogue, store: newStore(), kinds: map[schema.GroupVersionResource]*kind{}, pages: map[string]page{}}
	for _, k := range catalogue.kinds {
		s.kinds[k.gvr()] = &k
	}
	for _, name := range []string{"default", "kube-system", "kube-public", "kube-node-lease"} {
		ns := &unstructured.Unstructured{Object: map[string]any{"apiVersion": "v1", "kind": "Namespace"}}
		ns.SetName(name)
		if err := (Writer{s}).Create(ns); err != nil {
			return nil, err
		}
	}
	s.settle()
	return s, nil
}

// Do calls do while no request is served; what it writes is settled after it.
func (s *Server) Do(do func(Writer)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	do(Writer{s})
	s.settle()
}

// Forget makes the server forget its history, as it does after some minutes: a
// watch or a page of a list from before is answered with 410 Gone.
func (s *Server) Forget() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.store.forget()
	clear(s.pages)
}

// ServeHTTP answers a request.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if err := acceptable(r); err != nil {
		s.fail(w, err)
		return
	}
	if s.serveDiscovery(w, r) {
		return
	}
	s.mu.Lock()
	q, err := s.parse(r)
	if err == nil && q != nil && q.watches() {
		stream, err := s.openWatch(q)
		s.mu.Unlock()
		if err != nil {
			s.fail(w, err)
			return
		}
		stream.run(w)
		return
	}
	defer s.mu.Unlock()
	if err == nil && q == nil {
		http.NotFound(w, r)
		return
	}
	var answer any
	code := http.StatusOK
	if err == nil && q.Method != http.MethodGet {
		err = q.checkOptions()
	}
	if err == nil {
		answer, code, err = s.serve(q)
	}
	s.settle()
	if err != nil {
		s.fail(w, err)
		return
	}
	respond(w, code, answer)
}

// serve does what a request asks for, and returns the answer.
func (s *Server) serve(q *request) (answer any, code int, err error) {
	if q.name.Name == "" {
		switch q.Method {
		case http.MethodGet:
			answer, err = s.serveList(q)
		case http.MethodPost:
			o, err := s.create(q)
			return q.view(o), http.StatusCreated, err
		case http.MethodDelete:
			answer, err = s.deleteCollection(q)
		default:
			err = apierrors.NewMethodNotSupported(q.groupResource(), q.Method)
		}
		return answer, http.StatusOK, err
	}
	if q.subresource == "scale" {
		answer, err = s.serveScale(q)
		return answer, http.StatusOK, err
	}
	var o object
	created := false
	switch q.Method {
	case http.MethodGet:
		o, err = s.find(q)
	case http.MethodPut:
		o, err = s.replace(q)
	case http.MethodPatch:
		o, created, err = s.patch(q)
	case http.MethodDelete:
		answer, err = s.serveDelete(q)
		return answer, http.StatusOK, err
	default:
		err = apierrors.NewMethodNotSupported(q.groupResource(), q.Method)
	}
	if created {
		return q.view(o), http.StatusCreated, err
	}
	return q.view(o), http.StatusOK, err
}

// find returns the object that a request is about.
func (s *Server) find(q *request) (object, error) {
	if o := s.store.get(q.groupResource(), q.name); o != nil {
		return o, nil
	}
	return nil, apierrors.NewNotFound(q.groupResource(), q.name.Name)
}

// view returns an object in the form that the client asked for.
func (q *request) view(o object) any {
	if o == nil {
		return nil
	}
	if q.accepts("as=PartialObjectMetadata") || q.accepts("as=PartialObjectMetadataList") {
		return partial(o)
	}
	return q.versioned(o)
}

// versioned returns an object in the version that the path names.
func (k *kind) versioned(o object) object {
	if o.GroupVersionKind() == k.GroupVersionKind {
		return o
	}
	o = o.DeepCopy()
	o.SetGroupVersionKind(k.GroupVersionKind)
	return o
}

// partial returns the metadata of an object.
func partial(o object) object {
	p := &unstructured.Unstructured{Object: map[string]any{"metadata": o.Object["metadata"]}}
	p.SetGroupVersionKind(metav1.SchemeGroupVersion.WithKind("PartialObjectMetadata"))
	return p
}

func (s *Server) fail(w http.ResponseWriter, err error) {
	status := metav1.Status{Status: metav1.StatusFailure, Code: http.StatusInternalServerError, Message: err.Error()}
	if known, ok := err.(apierrors.APIStatus); ok {
		status = known.Status()
	}
	status.TypeMeta = metav1.TypeMeta{Kind: "Status", APIVersion: "v1"}
	if d := status.Details; d != nil && d.RetryAfterSeconds > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(int(d.RetryAfterSeconds)))
	}
	respond(w, int(status.Code), status)
}

func respond(w http.ResponseWriter, code int, answer any) {
	data, err := json.Marshal(answer)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	_, _ = w.Write(append(data, '\n')) // the client is gone
}

func namespaced(namespace, name string) types.NamespacedName {
	return types.NamespacedName{Namespace: namespace, Name: name}
}

package apiserver

import (
	"fmt"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	utiljson "k8s.io/apimachinery/pkg/util/json"
	"sigs.k8s.io/yaml"
)

// decode reads the object in a body as the server keeps it, and what of it the
// server does not know.
func (s *Server) decode(q *request) (object, error) {
	media, _, _ := strings.Cut(q.Header.Get("Content-Type"), ";")
	var o object
	var err error
	switch {
	case media == "" || media == runtime.ContentTypeJSON || media == runtime.ContentTypeYAML:
		o, err = parseObject(q.body)
	case media == runtime.ContentTypeProtobuf && q.custom == nil:
		o, err = s.parseProtobuf(q.body)
	default:
		err = unsupported(media, runtime.ContentTypeJSON, runtime.ContentTypeYAML)
	}
	if err != nil {
		return nil, err
	}
	return s.canonical(q, o)
}

// parseProtobuf reads an object as typed clients write it.
func (s *Server) parseProtobuf(data []byte) (object, error) {
	typed, gvk, err := s.catalogue.codecs.UniversalDeserializer().Decode(data, nil, nil)
	if err != nil {
		return nil, apierrors.NewBadRequest(err.Error())
	}
	content, err := runtime.DefaultUnstructuredConverter.ToUnstructured(typed)
	if err != nil {
		return nil, err
	}
	o := &unstructured.Unstructured{Object: content}
	o.SetGroupVersionKind(*gvk)
	return o, nil
}

// readInto reads a body that is no object of its path, in either encoding.
func (s *Server) readInto(q *request, gvk schema.GroupVersionKind, out runtime.Object) error {
	_, _, err := s.catalogue.codecs.UniversalDeserializer().Decode(q.body, &gvk, out)
	if err != nil && !runtime.IsStrictDecodingError(err) {
		return apierrors.NewBadRequest(err.Error())
	}
	return nil
}

func parseObject(data []byte) (object, error) {
	data, err := yaml.YAMLToJSON(data)
	if err != nil {
		return nil, apierrors.NewBadRequest(err.Error())
	}
	o := &unstructured.Unstructured{}
	if err := utiljson.Unmarshal(data, &o.Object); err != nil {
		return nil, apierrors.NewBadRequest(err.Error())
	}
	return o, nil
}

// canonical returns an object as the server would write it: fields that it does
// not know are dropped, or refused if the request says so.
func (s *Server) canonical(q *request, o object) (object, error) {
	if o.GetAPIVersion() == "" && o.GetKind() == "" {
		o.SetGroupVersionKind(q.GroupVersionKind)
	}
	if got := o.GroupVersionKind(); got != q.GroupVersionKind {
		return nil, apierrors.NewBadRequest(fmt.Sprintf("the object provided is unrecognized or of another kind: it is %s, the path is for %s", got, q.GroupVersionKind))
	}
	out, unknown, err := s.known(q.kind, o)
	if err != nil {
		return nil, apierrors.NewBadRequest(fmt.Sprintf("%s in version %q cannot be handled as a %s: %v", q.Kind, q.Version, q.Kind, err))
	}
	switch {
	case unknown == "" || q.query.Get("fieldValidation") != metav1.FieldValidationStrict:
		return out, nil
	case q.custom != nil:
		return nil, apierrors.NewBadRequest("strict decoding error: " + unknown)
	}
	return nil, apierrors.NewBadRequest(fmt.Sprintf("%s in version %q cannot be handled as a %s: strict decoding error: %s", q.Kind, q.Version, q.Kind, unknown))
}

// known returns an object with what the server knows of it, and the rest in words.
func (s *Server) known(k *kind, o object) (out object, unknown string, err error) {
	if k.custom != nil {
		return k.knownCustom(o)
	}
	data, err := o.MarshalJSON()
	if err != nil {
		return nil, "", err
	}
	typed, _, err := s.catalogue.codecs.UniversalDeserializer().Decode(data, nil, nil)
	if runtime.IsStrictDecodingError(err) && typed != nil {
		unknown, err = strings.TrimPrefix(err.Error(), "strict decoding error: "), nil
	}
	if err != nil {
		return nil, "", err
	}
	setDefaults(typed)
	content, err := runtime.DefaultUnstructuredConverter.ToUnstructured(typed)
	if err != nil {
		return nil, "", err
	}
	out = &unstructured.Unstructured{Object: content}
	out.SetGroupVersionKind(k.GroupVersionKind)
	return out, unknown, nil
}

func (k *kind) knownCustom(o object) (object, string, error) {
	out := o.DeepCopy()
	var meta metav1.ObjectMeta
	if raw, ok, err := unstructured.NestedMap(out.Object, "metadata"); err != nil {
		return nil, "", err
	} else if ok {
		if err := runtime.DefaultUnstructuredConverter.FromUnstructured(raw, &meta); err != nil {
			return nil, "", err
		}
	}
	content, err := runtime.DefaultUnstructuredConverter.ToUnstructured(&meta)
	if err != nil {
		return nil, "", err
	}
	out.Object["metadata"] = content
	var unknown []string
	for _, path := range k.custom.prune(out) {
		unknown = append(unknown, fmt.Sprintf("unknown field %q", path))
	}
	return out, strings.Join(unknown, ", "), nil
}

package helm

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// A RecordError says that a Secret or ConfigMap holds no release record that can be read.
type RecordError struct {
	Secret string // its name, or that of the ConfigMap
	Err    error
}

// Error returns "release record name: problem".
func (e *RecordError) Error() string { return fmt.Sprintf("release record %s: %v", e.Secret, e.Err) }

// Unwrap returns the cause.
func (e *RecordError) Unwrap() error { return e.Err }

// maxRecord bounds the JSON of a record. A Secret holds 1 MiB, but what it
// unpacks to is up to who wrote it.
const maxRecord = 64 << 20

const secretType = "helm.sh/release.v1"

// encode returns the text of a record: base64 of gzip of JSON.
func encode(record any) (string, error) {
	text, err := json.Marshal(record)
	if err != nil {
		return "", err
	}
	var packed bytes.Buffer
	w, err := gzip.NewWriterLevel(&packed, gzip.BestCompression)
	if err != nil {
		return "", err
	}
	if _, err := w.Write(text); err != nil {
		return "", err
	}
	if err := w.Close(); err != nil {
		return "", err
	}
	return base64.StdEncoding.EncodeToString(packed.Bytes()), nil
}

// ToSecret returns the Secret that Helm would keep a record in which it keeps in
// a ConfigMap. Errors are of type [*RecordError].
func ToSecret(configMap *unstructured.Unstructured) (*unstructured.Unstructured, error) {
	text, ok, err := unstructured.NestedString(configMap.Object, "data", "release")
	if err != nil || !ok {
		return nil, &RecordError{configMap.GetName(), errors.New("lacks the data of a release")}
	}
	secret := &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "v1", "kind": "Secret", "type": secretType, "metadata": map[string]any{},
	}}
	secret.SetName(configMap.GetName())
	secret.SetNamespace(configMap.GetNamespace())
	secret.SetLabels(configMap.GetLabels())
	setPayload(secret, text)
	return secret, nil
}

// setPayload gives the object of a record its text. All that Secrets hold is in
// base64 once more.
func setPayload(o *unstructured.Unstructured, text string) {
	if o.GetKind() != "ConfigMap" {
		text = base64.StdEncoding.EncodeToString([]byte(text))
	}
	o.Object["data"] = map[string]any{"release": text}
}

// decode returns the JSON of the record in a Secret or a ConfigMap, which holds
// the same text without the base64 of Secrets.
func decode(o *unstructured.Unstructured) ([]byte, error) {
	text, _, err := unstructured.NestedString(o.Object, "data", "release")
	if err != nil {
		return nil, err
	}
	inner := []byte(text)
	if o.GetKind() != "ConfigMap" {
		if kind, _, _ := unstructured.NestedString(o.Object, "type"); kind != secretType {
			return nil, fmt.Errorf("is of type %q, not %s", kind, secretType)
		}
		if inner, err = base64.StdEncoding.DecodeString(text); err != nil {
			return nil, err
		}
	}
	packed, err := base64.StdEncoding.DecodeString(string(inner))
	if err != nil {
		return nil, err
	}
	return unpack(packed)
}

// unpack unpacks gzip. Records from before Helm compressed them are plain.
func unpack(packed []byte) ([]byte, error) {
	if !bytes.HasPrefix(packed, []byte{0x1f, 0x8b, 0x08}) {
		return packed, nil
	}
	r, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return nil, err
	}
	text, err := io.ReadAll(io.LimitReader(r, maxRecord+1))
	if err != nil {
		return nil, err
	}
	if len(text) > maxRecord {
		return nil, errors.New("unpacks to more than 64 MiB")
	}
	return text, nil
}

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

// encode returns what the data of a Secret holds: Helm's own text, which is
// base64 of gzip of JSON, in the base64 of all Secrets.
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
	inner := base64.StdEncoding.EncodeToString(packed.Bytes())
	return base64.StdEncoding.EncodeToString([]byte(inner)), nil
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

package inventory

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"

	"github.com/strata-go/strata/internal/kube"
)

// partSize is how much of a record one Secret holds, in bytes. A Secret may be
// 1 MiB large, and needs some of that for itself.
const partSize = 900 << 10

// The labels and annotations of an ApplySet (KEP-3659), and our own.
const (
	// PartOf labels every object of an installation with its ID.
	PartOf     = "applyset.kubernetes.io/part-of"
	parentID   = "applyset.kubernetes.io/id"
	tooling    = "applyset.kubernetes.io/tooling"
	groupKinds = "applyset.kubernetes.io/contains-group-kinds"

	madeBy    = "app.kubernetes.io/managed-by" // on a namespace that was made for records
	partLabel = "strata.dev/inventory"         // on further parts: the Secret that they belong to
	partsNote = "strata.dev/parts"             // on the first: the names of the others

	historyLabel = "strata.dev/history" // on records of states: the Secret of the inventory
	dataKey      = "inventory"
)

// Secrets keep records in Secrets on the cluster: the first is the parent of
// the ApplySet, and names others if the record is too large for one. They are
// not safe for concurrent use.
type Secrets struct {
	Client    *kube.Client
	Namespace string
	Kinds     []string // of the objects that the next record lists, a hint for other tools
	HistoryOf string   // the installation, if the records are of its history

	split bool // the record that was loaded has further parts
}

// ID returns what objects of the installation are labelled with: the ApplySet
// ID of the Secret, as KEP-3659 computes it.
func ID(namespace, name string) string {
	sum := sha256.Sum256([]byte(strings.Join([]string{secretName(name), namespace, "Secret", ""}, ".")))
	return "applyset-" + base64.RawURLEncoding.EncodeToString(sum[:]) + "-v1"
}

func secretName(name string) string { return "strata-" + name }

var (
	secrets    = kube.Resource{GroupVersionResource: schema.GroupVersionResource{Version: "v1", Resource: "secrets"}, Namespaced: true}
	namespaces = kube.Resource{GroupVersionResource: schema.GroupVersionResource{Version: "v1", Resource: "namespaces"}}
)

func (s *Secrets) ref(name string) kube.Ref {
	return kube.Ref{Version: "v1", Kind: "Secret", Namespace: s.Namespace, Name: name}
}

// Load reads a record: one request for each part.
func (s *Secrets) Load(ctx context.Context, name string) ([]byte, string, error) {
	first, err := s.Client.Get(ctx, secrets, s.ref(secretName(name)))
	if apierrors.IsNotFound(err) {
		return nil, "", nil
	}
	if err != nil {
		return nil, "", err
	}
	data, err := content(first)
	if err != nil {
		return nil, "", fmt.Errorf("%s: %w", s.ref(first.GetName()), err)
	}
	s.split = len(parts(first)) > 0
	for _, part := range parts(first) {
		secret, err := s.Client.Get(ctx, secrets, s.ref(part))
		if err != nil {
			return nil, "", err
		}
		more, err := content(secret)
		if err != nil {
			return nil, "", err
		}
		data = append(data, more...)
	}
	return data, first.GetResourceVersion(), nil
}

func content(secret *unstructured.Unstructured) ([]byte, error) {
	text, _, err := unstructured.NestedString(secret.Object, "data", dataKey)
	if err != nil {
		return nil, err
	}
	return base64.StdEncoding.DecodeString(text)
}

func parts(first *unstructured.Unstructured) []string {
	return strings.FieldsFunc(first.GetAnnotations()[partsNote], func(r rune) bool { return r == ',' })
}

// Save writes a record. Further parts are written before the first, which names
// them and is what counts; parts of earlier records go after it.
func (s *Secrets) Save(ctx context.Context, name string, data []byte, version string) (string, error) {
	chunks := slices.Collect(slices.Chunk(data, partSize))
	if len(chunks) == 0 {
		chunks = [][]byte{{}}
	}
	var names []string
	for _, chunk := range chunks[1:] {
		sum := sha256.Sum256(chunk)
		part := secretName(name) + "-" + hex.EncodeToString(sum[:8])
		names = append(names, part)
		secret := s.secret(part, chunk)
		secret.SetLabels(map[string]string{partLabel: secretName(name)})
		if _, err := s.create(ctx, secret); err != nil && !apierrors.IsAlreadyExists(err) {
			return "", err
		}
	}
	first := s.secret(secretName(name), chunks[0])
	first.SetResourceVersion(version)
	first.SetLabels(map[string]string{parentID: ID(s.Namespace, name)})
	first.SetAnnotations(map[string]string{
		tooling: kube.Manager + "/v1", groupKinds: strings.Join(s.Kinds, ","), partsNote: strings.Join(names, ","),
	})
	if s.HistoryOf != "" {
		first.SetLabels(map[string]string{historyLabel: secretName(s.HistoryOf)})
		first.SetAnnotations(map[string]string{partsNote: strings.Join(names, ",")})
	}
	write := s.create
	if version != "" {
		write = func(ctx context.Context, o *unstructured.Unstructured) (*unstructured.Unstructured, error) {
			return s.Client.Update(ctx, secrets, o)
		}
	}
	saved, err := write(ctx, first)
	if apierrors.IsConflict(err) || apierrors.IsAlreadyExists(err) || version != "" && apierrors.IsNotFound(err) {
		return "", fmt.Errorf("%w (%s)", ErrChanged, s.ref(first.GetName()))
	}
	if err != nil {
		return "", err
	}
	if len(names) > 0 || s.split {
		err = s.sweep(ctx, name, names)
		s.split = len(names) > 0
	}
	return saved.GetResourceVersion(), err
}

// Delete removes a record.
func (s *Secrets) Delete(ctx context.Context, name string) error {
	if err := s.Client.Delete(ctx, secrets, s.ref(secretName(name)), ""); err != nil && !apierrors.IsNotFound(err) {
		return err
	}
	return s.sweep(ctx, name, nil)
}

// sweep deletes the further parts of a record but those to keep.
func (s *Secrets) sweep(ctx context.Context, name string, keep []string) error {
	list, err := s.Client.ListMetadata(ctx, secrets, s.Namespace, partLabel+"="+secretName(name))
	if err != nil {
		return err
	}
	for _, o := range list {
		if slices.Contains(keep, o.Name) {
			continue
		}
		if err := s.Client.Delete(ctx, secrets, s.ref(o.Name), o.UID); err != nil && !apierrors.IsNotFound(err) {
			return err
		}
	}
	return nil
}

func (s *Secrets) secret(name string, data []byte) *unstructured.Unstructured {
	secret := &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "v1",
		"kind":       "Secret",
		"type":       "strata.dev/inventory",
		"data":       map[string]any{dataKey: base64.StdEncoding.EncodeToString(data)},
	}}
	secret.SetNamespace(s.Namespace)
	secret.SetName(name)
	return secret
}

// create creates a Secret, and its namespace if that is missing.
func (s *Secrets) create(ctx context.Context, secret *unstructured.Unstructured) (*unstructured.Unstructured, error) {
	out, err := s.Client.Create(ctx, secrets, secret)
	if !apierrors.IsNotFound(err) {
		return out, err
	}
	ns := &unstructured.Unstructured{}
	ns.SetAPIVersion("v1")
	ns.SetKind("Namespace")
	ns.SetName(s.Namespace)
	ns.SetLabels(map[string]string{madeBy: kube.Manager})
	if _, err := s.Client.Create(ctx, namespaces, ns); err != nil && !apierrors.IsAlreadyExists(err) {
		return nil, err
	}
	return s.Client.Create(ctx, secrets, secret)
}

// Home returns the namespace of the records if it was made for them, else nil.
func (s *Secrets) Home(ctx context.Context) (*metav1.PartialObjectMetadata, error) {
	ns, err := s.Client.GetMetadata(ctx, namespaces, s.home())
	if apierrors.IsNotFound(err) || err == nil && ns.Labels[madeBy] != kube.Manager {
		return nil, nil
	}
	return ns, err
}

// DeleteHome deletes the namespace that [Secrets.Home] returned.
func (s *Secrets) DeleteHome(ctx context.Context, uid types.UID) error {
	if err := s.Client.Delete(ctx, namespaces, s.home(), uid); err != nil && !apierrors.IsNotFound(err) {
		return fmt.Errorf("deleting the namespace of the inventory: %w", err)
	}
	return nil
}

func (s *Secrets) home() kube.Ref {
	return kube.Ref{Version: "v1", Kind: "Namespace", Name: s.Namespace}
}

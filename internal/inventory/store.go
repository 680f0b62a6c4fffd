package inventory

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"

	"github.com/strata-go/strata/internal/kube"
)

// format is the version of the stored format.
const format = 1

// Sizes in bytes. A Secret may hold 1 MiB; its own metadata needs some of that.
const (
	maxStored  = 1000 << 10
	maxDecoded = 256 << 20
)

// madeBy labels a namespace that a Store made for itself.
const madeBy = "app.kubernetes.io/managed-by"

// The labels and annotations of an ApplySet (KEP-3659).
const (
	// PartOf labels every object of an installation with its ID.
	PartOf     = "applyset.kubernetes.io/part-of"
	parentID   = "applyset.kubernetes.io/id"
	tooling    = "applyset.kubernetes.io/tooling"
	groupKinds = "applyset.kubernetes.io/contains-group-kinds"
)

// ErrChanged says that somebody else changed the inventory meanwhile.
var ErrChanged = errors.New("the inventory was changed by another run; try again")

// A Store keeps the inventory of one installation in a Secret on its cluster.
type Store struct {
	Client    *kube.Client
	Namespace string
	Name      string // of the Secret
}

// ID returns what objects of the installation are labelled with: the ApplySet
// ID of the Secret, as KEP-3659 computes it.
func (s Store) ID() string {
	sum := sha256.Sum256([]byte(strings.Join([]string{s.Name, s.Namespace, "Secret", ""}, ".")))
	return "applyset-" + base64.RawURLEncoding.EncodeToString(sum[:]) + "-v1"
}

var (
	secrets    = kube.Resource{GroupVersionResource: schema.GroupVersionResource{Version: "v1", Resource: "secrets"}, Namespaced: true}
	namespaces = kube.Resource{GroupVersionResource: schema.GroupVersionResource{Version: "v1", Resource: "namespaces"}}
)

func (s Store) ref() kube.Ref {
	return kube.Ref{Version: "v1", Kind: "Secret", Namespace: s.Namespace, Name: s.Name}
}

// Load reads the inventory. One that was never saved is empty.
func (s Store) Load(ctx context.Context) (*Inventory, error) {
	secret, err := s.Client.Get(ctx, secrets, s.ref())
	if apierrors.IsNotFound(err) {
		return new(Inventory), nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading the inventory: %w", err)
	}
	data, _, err := unstructured.NestedString(secret.Object, "data", "inventory")
	if err == nil {
		var inv *Inventory
		if inv, err = decode(data); err == nil {
			inv.version = secret.GetResourceVersion()
			return inv, nil
		}
	}
	return nil, fmt.Errorf("reading the inventory in %s: %w", s.ref(), err)
}

// Save writes inv, if the stored one is still what inv was loaded as or last
// saved as; else it returns [ErrChanged].
func (s Store) Save(ctx context.Context, inv *Inventory) error {
	secret, err := s.secret(inv)
	if err != nil {
		return err
	}
	if inv.version == "" {
		secret, err = s.create(ctx, secret)
	} else {
		secret, err = s.Client.Update(ctx, secrets, secret)
	}
	if apierrors.IsConflict(err) || apierrors.IsAlreadyExists(err) || inv.version != "" && apierrors.IsNotFound(err) {
		return fmt.Errorf("%w (%s)", ErrChanged, s.ref())
	}
	if err != nil {
		return fmt.Errorf("writing the inventory: %w", err)
	}
	inv.version = secret.GetResourceVersion()
	return nil
}

// create creates the Secret, and its namespace if that is missing.
func (s Store) create(ctx context.Context, secret *unstructured.Unstructured) (*unstructured.Unstructured, error) {
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

// Delete removes the record.
func (s Store) Delete(ctx context.Context, inv *Inventory) error {
	if inv.version == "" {
		return nil
	}
	if err := s.Client.Delete(ctx, secrets, s.ref(), ""); err != nil && !apierrors.IsNotFound(err) {
		return fmt.Errorf("deleting the inventory: %w", err)
	}
	inv.version = ""
	return nil
}

// Home returns the namespace that a Store made for itself, or nil if somebody
// else made it, or it is gone.
func (s Store) Home(ctx context.Context) (*metav1.PartialObjectMetadata, error) {
	ns, err := s.Client.GetMetadata(ctx, namespaces, s.home())
	if apierrors.IsNotFound(err) || err == nil && ns.Labels[madeBy] != kube.Manager {
		return nil, nil
	}
	return ns, err
}

// DeleteHome deletes the namespace that [Store.Home] returned.
func (s Store) DeleteHome(ctx context.Context, uid types.UID) error {
	if err := s.Client.Delete(ctx, namespaces, s.home(), uid); err != nil && !apierrors.IsNotFound(err) {
		return fmt.Errorf("deleting the namespace of the inventory: %w", err)
	}
	return nil
}

func (s Store) home() kube.Ref { return kube.Ref{Version: "v1", Kind: "Namespace", Name: s.Namespace} }

func (s Store) secret(inv *Inventory) (*unstructured.Unstructured, error) {
	data, err := encode(inv)
	if err != nil {
		return nil, err
	}
	var kinds []string
	for _, o := range inv.All() {
		kinds = append(kinds, o.GVK().GroupKind().String())
	}
	slices.Sort(kinds)
	secret := &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "v1",
		"kind":       "Secret",
		"type":       "strata.dev/inventory",
		"data":       map[string]any{"inventory": data},
	}}
	secret.SetNamespace(s.Namespace)
	secret.SetName(s.Name)
	secret.SetResourceVersion(inv.version)
	secret.SetLabels(map[string]string{parentID: s.ID()})
	secret.SetAnnotations(map[string]string{
		tooling:    kube.Manager + "/v1",
		groupKinds: strings.Join(slices.Compact(kinds), ","),
	})
	return secret, nil
}

type stored struct {
	Format int `json:"format"`
	*Inventory
}

// encode returns inv as compressed JSON in base64.
func encode(inv *Inventory) (string, error) {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	err := json.NewEncoder(z).Encode(stored{format, inv})
	if err = errors.Join(err, z.Close()); err != nil {
		return "", fmt.Errorf("encoding the inventory: %w", err)
	}
	if b.Len() > maxStored {
		return "", fmt.Errorf("the inventory is %d bytes compressed, more than the %d that one Secret can hold; split the stack over two targets", b.Len(), maxStored)
	}
	return base64.StdEncoding.EncodeToString(b.Bytes()), nil
}

func decode(data string) (*Inventory, error) {
	z, err := gzip.NewReader(base64.NewDecoder(base64.StdEncoding, strings.NewReader(data)))
	if err != nil {
		return nil, err
	}
	text, err := io.ReadAll(io.LimitReader(z, maxDecoded+1))
	if err != nil {
		return nil, err
	}
	if len(text) > maxDecoded {
		return nil, fmt.Errorf("it is larger than %d bytes", maxDecoded)
	}
	s := stored{Inventory: new(Inventory)}
	if err := json.Unmarshal(text, &s); err != nil {
		return nil, err
	}
	if s.Format != format {
		return nil, fmt.Errorf("it has format %d, and this version reads %d", s.Format, format)
	}
	return s.Inventory, nil
}

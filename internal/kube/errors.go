package kube

import (
	"errors"
	"fmt"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// ErrUnreachable says that the API server could not be asked: no connection,
// a certificate that is not trusted, credentials that it does not accept.
var ErrUnreachable = errors.New("cluster unreachable")

// A NoKindError says that the cluster does not have a kind.
type NoKindError struct {
	Ref  Ref
	Hint string // "" or what may have been meant
}

func (e *NoKindError) Error() string {
	gv := e.Ref.Version
	if e.Ref.Group != "" {
		gv = e.Ref.Group + "/" + gv
	}
	return fmt.Sprintf("%s: the cluster has no kind %s in %s%s; install what defines it in a lower layer, or correct apiVersion and kind", e.Ref, e.Ref.Kind, gv, e.Hint)
}

func (c *Client) unreachable(err error) error {
	return fmt.Errorf("%w: %s: %w", ErrUnreachable, c.host, err)
}

// wrap names the object that a request was about, and tells a server that
// answers from one that does not.
func (c *Client) wrap(ref Ref, doing string, err error) error {
	if err == nil {
		return nil
	}
	var status apierrors.APIStatus
	if !errors.As(err, &status) || apierrors.IsUnauthorized(err) {
		err = c.unreachable(err)
	}
	if ref == (Ref{}) {
		return fmt.Errorf("%s: %w", doing, err)
	}
	return fmt.Errorf("%s %s: %w", doing, ref, err)
}

// Untyped reports whether an apply was refused because the schema of the kind
// has no such field, or one of another type, or because somebody made the object
// one that nothing can be applied to: an item of a list that lacks its keys. The
// server says so with the status of a fault of its own.
func Untyped(err error) bool {
	return err != nil && (strings.Contains(err.Error(), "failed to create typed patch object") || strings.Contains(err.Error(), "failed to convert new object"))
}

// A FieldConflict is a field that another manager owns.
type FieldConflict struct {
	Field   string // ".spec.replicas"
	Manager string
}

// Conflicts returns the fields that kept an apply from happening, or nil if
// err is another error.
func Conflicts(err error) []FieldConflict {
	var status apierrors.APIStatus
	if !apierrors.IsConflict(err) || !errors.As(err, &status) || status.Status().Details == nil {
		return nil
	}
	var conflicts []FieldConflict
	for _, cause := range status.Status().Details.Causes {
		if cause.Type != metav1.CauseTypeFieldManagerConflict {
			continue
		}
		// The server says: conflict with "manager" using apps/v1 at 2026-...
		manager := cause.Message
		if parts := strings.SplitN(cause.Message, `"`, 3); len(parts) == 3 {
			manager = parts[1]
		}
		conflicts = append(conflicts, FieldConflict{cause.Field, manager})
	}
	return conflicts
}

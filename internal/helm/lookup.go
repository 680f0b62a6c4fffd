package helm

import (
	"context"
	"encoding/json"
	"fmt"
)

// A LookupFunc finds objects on a cluster: one, or if name is empty a List. What
// is not there is an empty map.
type LookupFunc func(ctx context.Context, of Lookup) (map[string]any, error)

// A Lookup says what a template looks for. Lookups are comparable.
type Lookup struct {
	APIVersion, Kind string
	Namespace, Name  string // empty for all
}

// String returns "kind apiVersion namespace/name", without what is empty.
func (l Lookup) String() string {
	return fmt.Sprintf("%s %s %s/%s", l.Kind, l.APIVersion, l.Namespace, l.Name)
}

const (
	costLookup = 50_000 // steps
	// maxLookup bounds what one lookup finds, as JSON: it is kept.
	maxLookup = 1 << 20
)

// look is the function "lookup". What it found is kept and found again, so that
// the same rendering gives the same text whatever happens on the cluster.
func (r *run) look(apiVersion, kind, namespace, name string) (map[string]any, error) {
	of := Lookup{apiVersion, kind, namespace, name}
	r.work(1)
	if r.lookup == nil {
		return map[string]any{}, nil
	}
	key := of.String()
	data, ok := r.kept.Lookups[key]
	if !ok {
		data, ok = r.past.Lookups[key]
	}
	if !ok {
		r.work(costLookup)
		found, err := r.lookup(r.ctx, of)
		if err != nil {
			return nil, &lookupError{of, err}
		}
		if data, err = json.Marshal(found); err != nil {
			return nil, err
		}
	}
	if len(data) > maxLookup {
		return nil, fmt.Errorf("looking up %s: it has more than %d bytes: look for less", key, maxLookup)
	}
	r.made(4 * int64(len(data)))
	r.kept.Lookups[key] = data
	found := map[string]any{}
	return found, json.Unmarshal(data, &found)
}

// A lookupError is what keeps a lookup from being done.
type lookupError struct {
	of  Lookup
	err error
}

func (e *lookupError) Error() string { return fmt.Sprintf("looking up %s: %v", e.of, e.err) }

func (e *lookupError) Unwrap() error { return e.err }

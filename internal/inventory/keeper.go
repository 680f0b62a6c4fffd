package inventory

import (
	"context"
	"errors"
	"fmt"
	"slices"
)

// ErrChanged says that somebody else changed the inventory meanwhile.
var ErrChanged = errors.New("the inventory was changed by another run; try again")

// A Store keeps the records of installations. Its methods may be called
// concurrently.
type Store interface {
	// Load returns the record and its version. Without a record both are empty.
	Load(ctx context.Context, name string) (data []byte, version string, err error)
	// Save replaces the record if its version is still the given one, which is
	// empty for one that is not there, and returns the new version. Otherwise
	// the error wraps [ErrChanged], and nothing is changed.
	Save(ctx context.Context, name string, data []byte, version string) (string, error)
	// Delete removes the record. One that is not there is no error.
	Delete(ctx context.Context, name string) error
}

// A Keeper keeps the inventory of one installation in a Store.
type Keeper struct {
	Store Store
	Name  string
}

// Load reads the inventory. One that was never saved is empty.
func (k Keeper) Load(ctx context.Context) (*Inventory, error) {
	data, version, err := k.Store.Load(ctx, k.Name)
	if err != nil {
		return nil, fmt.Errorf("reading the inventory %q: %w", k.Name, err)
	}
	inv := new(Inventory)
	if data != nil {
		if inv, err = Decode(data); err != nil {
			return nil, fmt.Errorf("reading the inventory %q: %w", k.Name, err)
		}
	}
	inv.version = version
	return inv, nil
}

// Save writes inv, if the stored one is still what inv was loaded as or last
// saved as; else it returns [ErrChanged].
func (k Keeper) Save(ctx context.Context, inv *Inventory) error {
	data, err := inv.Encode()
	if err != nil {
		return err
	}
	if s, ok := k.Store.(*Secrets); ok {
		s.Kinds = inv.kinds()
	}
	version, err := k.Store.Save(ctx, k.Name, data, inv.version)
	if err != nil {
		return fmt.Errorf("writing the inventory %q: %w", k.Name, err)
	}
	inv.version = version
	return nil
}

// Delete removes the inventory, which owns nothing any more.
func (k Keeper) Delete(ctx context.Context, inv *Inventory) error {
	if inv.version == "" {
		return nil
	}
	if err := k.Store.Delete(ctx, k.Name); err != nil {
		return fmt.Errorf("deleting the inventory %q: %w", k.Name, err)
	}
	inv.version = ""
	return nil
}

// kinds returns the kinds of all objects, "Deployment.apps", sorted.
func (inv *Inventory) kinds() []string {
	var kinds []string
	for _, o := range inv.All() {
		kinds = append(kinds, o.GVK().GroupKind().String())
	}
	slices.Sort(kinds)
	return slices.Compact(kinds)
}

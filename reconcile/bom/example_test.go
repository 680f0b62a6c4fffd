package bom_test

import (
	"context"
	"os"
	"time"

	"github.com/strata-go/strata/reconcile"
	"github.com/strata-go/strata/reconcile/bom"
)

// A bill of materials and a picture of what is on a cluster.
func ExampleEncode() {
	inventory := func(ctx context.Context, t reconcile.Target) error {
		status, err := new(reconcile.Reconciler).Status(ctx, t)
		if err != nil {
			return err
		}
		bill, err := bom.Encode(status, bom.Details{Time: time.Now()})
		if err != nil {
			return err
		}
		if err := os.WriteFile("bom.json", bill, 0o600); err != nil {
			return err
		}
		return os.WriteFile("status.svg", []byte(status.SVG()), 0o600)
	}
	_ = inventory
	// Output:
}

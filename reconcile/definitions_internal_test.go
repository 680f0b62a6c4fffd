package reconcile

import (
	"testing"

	"github.com/strata-go/strata/internal/inventory"
	"github.com/strata-go/strata/layer"
)

func TestPolice(t *testing.T) {
	t.Parallel()
	ours := &known{Object: inventory.Object{Applied: "sha256:a"}}
	begun := &known{}
	for _, tt := range []struct {
		name   string
		policy layer.CRDPolicy
		action Action
		exists bool
		mine   *known
		want   Action
		left   bool
	}{
		{"no definition", "", Update, true, ours, Update, false},
		{"upgrade", layer.CRDUpgrade, Update, true, ours, Update, false},
		{"create, missing", layer.CRDCreate, Create, false, nil, Create, false},
		{"create, was deleted", layer.CRDCreate, Repair, false, ours, Repair, false},
		{"create, ours", layer.CRDCreate, Update, true, ours, Unchanged, true},
		{"create, drifted", layer.CRDCreate, Repair, true, ours, Unchanged, true},
		{"create, not ours", layer.CRDCreate, Adopt, true, nil, Adopt, true},
		{"create, half applied", layer.CRDCreate, Update, true, begun, Update, false},
		{"create, of another layer", layer.CRDCreate, Transfer, true, ours, Transfer, false},
		{"never, missing", layer.CRDNever, Create, false, nil, Create, true},
		{"never, ours", layer.CRDNever, Update, true, ours, Unchanged, true},
		{"never, not ours", layer.CRDNever, Adopt, true, nil, Adopt, true},
		{"never, ours and gone", layer.CRDNever, Repair, false, ours, Repair, true},
	} {
		w := &work{crds: tt.policy, action: tt.action, exists: tt.exists}
		if police(w, tt.mine); w.action != tt.want || w.left != tt.left {
			t.Errorf("%s: %s, left is %v; want %s, %v", tt.name, w.action, w.left, tt.want, tt.left)
		}
	}
}

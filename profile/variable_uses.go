package profile

import (
	"slices"
	"strings"

	"github.com/strata-go/strata/internal/macro"
)

// A Use says how often a layer uses a variable.
type Use struct {
	Variable string `json:"variable"`
	Layer    string `json:"layer"`
	Count    int    `json:"count"` // of the macros, in values and manifests
}

// Uses returns which layers of p use which variables, in the order of the
// variables, then of the layers. What stands in the content of packs is not
// known here, and what stands in comments does not count.
func (p *Profile) Uses() []Use {
	counts := map[Use]int{} // by the Use without its count
	for _, l := range p.Layers {
		for _, t := range textsOf(l) {
			doc, err := p.memo.parse(t.text)
			var macros []macro.Macro
			if doc != nil {
				macros = doc.Macros()
			} else if err != nil {
				macros = macro.Scan(t.text)
			}
			for _, m := range macros {
				if name, ok := strings.CutPrefix(m.Path, varRoot); ok {
					counts[Use{Variable: name, Layer: l.Name}]++
				}
			}
		}
	}
	var uses []Use
	for _, v := range p.Variables {
		for _, l := range p.Layers {
			u := Use{Variable: v.Name, Layer: l.Name}
			if u.Count = counts[u]; u.Count > 0 && !slices.Contains(uses, u) {
				uses = append(uses, u)
			}
		}
	}
	return uses
}

package pack

import "github.com/strata-go/strata/layer"

// readiness reads the readiness checks of a pack's own. The name of a check is
// for people: what it is about are all objects of its kind.
func (r *settingsReader) readiness(v any) []layer.Check {
	var checks []layer.Check
	versions := r.object(v, "readinessCheck")
	r.maps(versions["v1beta1"], "readinessCheck.v1beta1", func(item map[string]any, field string) {
		c := layer.Check{
			Name:      r.needed(item, "name", field),
			Group:     r.string(item["group"], field+".group"),
			Version:   r.needed(item, "version", field),
			Kind:      r.needed(item, "kind", field),
			Namespace: r.string(item["namespace"], field+".namespace"),
		}
		r.maps(item["keysToCheck"], field+".keysToCheck", func(key map[string]any, at string) {
			c.Fields = append(c.Fields, layer.Expectation{
				Path:  r.needed(key, "keyToCheck", at),
				Value: r.text(key["expectedValue"], at+".expectedValue"),
			})
		})
		checks = append(checks, c)
	})
	return checks
}

// needed returns a string that must not be empty.
func (r *settingsReader) needed(m map[string]any, key, field string) string {
	s := r.string(m[key], field+"."+key)
	if m[key] == nil || m[key] == "" {
		r.report(field+"."+key, "required, but missing")
	}
	return s
}

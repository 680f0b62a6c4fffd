package crd

import "encoding/json"

// A bound is a key of a schema that bounds a value from one side.
type bound struct {
	key   string
	upper bool
}

var bounds = []bound{ // constant
	{"maximum", true}, {"maxLength", true}, {"maxItems", true}, {"maxProperties", true},
	{"minimum", false}, {"minLength", false}, {"minItems", false}, {"minProperties", false},
}

func (c *comparison) bounds(path string, was, now map[string]any) {
	for _, b := range bounds {
		old, bounded := number(was[b.key])
		limit, limits := number(now[b.key])
		tighter := limits && (!bounded || b.upper && limit < old || !b.upper && limit > old)
		if !tighter || !bounded && !b.upper && limit <= 0 && b.key != "minimum" {
			continue
		}
		if bounded {
			c.found(path+"."+b.key, "it was %v and is to be %v", old, limit)
		} else {
			c.found(path+"."+b.key, "it is bounded from now on, by %v", limit)
		}
	}
	for _, key := range []string{"exclusiveMaximum", "exclusiveMinimum", "uniqueItems"} {
		if now[key] == true && was[key] != true {
			c.found(path+"."+key, "it holds from now on")
		}
	}
	old, _ := number(was["multipleOf"])
	if factor, ok := number(now["multipleOf"]); ok && factor != old {
		c.found(path+".multipleOf", "values must be multiples of %v from now on", factor)
	}
}

// number returns a number as JSON and YAML readers give it.
func number(v any) (float64, bool) {
	switch n := v.(type) {
	case int64:
		return float64(n), true
	case int:
		return float64(n), true
	case float64:
		return n, true
	case json.Number:
		f, err := n.Float64()
		return f, err == nil
	}
	return 0, false
}

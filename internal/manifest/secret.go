package manifest

import (
	"encoding/base64"
	"errors"
	"maps"
	"slices"
)

// FoldStringData returns o with the stringData of a Secret moved into its
// data, as the API server does on every write. The server keeps no stringData:
// who applies it owns a field that is never there, and drifts for ever.
//
// An object without stringData is returned as it is. It reports values that
// are not strings, joined, each a [*DocumentError].
func FoldStringData(o Object) (Object, error) {
	raw, has := o.Object["stringData"]
	if !has || o.GetKind() != "Secret" || o.GroupVersionKind().Group != "" {
		return o, nil
	}
	plain, ok := raw.(map[string]any)
	if raw != nil && !ok {
		return o, o.problem("stringData", "must be a map of strings")
	}
	old, ok := o.Object["data"].(map[string]any)
	if o.Object["data"] != nil && !ok {
		return o, o.problem("data", "must be a map of base64 strings")
	}
	data := maps.Clone(old)
	if data == nil {
		data = make(map[string]any, len(plain))
	}
	var errs []error
	for _, key := range slices.Sorted(maps.Keys(plain)) {
		text, ok := plain[key].(string)
		if !ok && plain[key] != nil { // the server reads null as ""
			errs = append(errs, o.problem("stringData."+key, quoteIt))
		}
		data[key] = base64.StdEncoding.EncodeToString([]byte(text))
	}
	if len(errs) > 0 {
		return o, errors.Join(errs...)
	}
	folded := o.DeepCopy()
	delete(folded.Object, "stringData")
	if len(data) > 0 {
		folded.Object["data"] = data
	}
	return folded, nil
}

func (o Object) problem(field, problem string) error {
	return &DocumentError{o.Source, o.Line, field, problem}
}

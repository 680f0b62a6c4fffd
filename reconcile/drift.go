package reconcile

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"sigs.k8s.io/yaml"

	"github.com/strata-go/strata/internal/inventory"
	"github.com/strata-go/strata/internal/kube"
	"github.com/strata-go/strata/layer"
)

// A Drift is a field of an object that is not as we applied it any more, or an
// object that somebody deleted. It shows no sensitive value.
type Drift struct {
	Layer  string    `json:"layer"` // "" for the namespaces that layers are installed in
	Object ObjectRef `json:"object"`
	// Field is as API servers write it: `.spec.containers[name="a"].image`. It is
	// empty if the object was deleted, and then so is all below but Mode.
	Field string `json:"field,omitempty"`
	// Path is the field as a JSON pointer, as rules have it.
	Path string `json:"path,omitempty"`
	// Old is what we applied, and New what somebody made of it: JSON, or "" if the
	// field is missing. They are "(sensitive)" for the content of Secrets.
	Old string `json:"old,omitempty"`
	New string `json:"new,omitempty"`
	// Manager is who holds the field now, how (Apply or Update, and through which
	// subresource), and since when, to the second: the server says so for all
	// fields of a manager together. They are zero for what was removed, as nobody
	// holds that.
	Manager     string    `json:"manager,omitempty"`
	Operation   string    `json:"operation,omitempty"`
	Subresource string    `json:"subresource,omitempty"`
	Time        time.Time `json:"time,omitzero"`
	// Suspects are, for a field that nobody holds, those who have updated the
	// object since we applied it.
	Suspects []string `json:"suspects,omitempty"`
	// Mode says what becomes of it: it is corrected, or only reported.
	Mode layer.DriftMode `json:"mode"`
	// Repairs is how often the field was repaired in a row before, each time to be
	// changed back. If Until is set, this has become a fight: the field is left
	// alone until then.
	Repairs int       `json:"repairs,omitempty"`
	Until   time.Time `json:"until,omitzero"`
}

// Fight reports whether somebody changes the field back whenever it is repaired.
func (d Drift) Fight() bool { return !d.Until.IsZero() }

// Stays reports whether nothing is done about it now: it is only reported, or
// fought about.
func (d Drift) Stays() bool { return d.Mode != layer.DriftCorrect || d.Fight() }

// Rule returns a rule that lets others do what they did.
func (d Drift) Rule() layer.DriftRule {
	rule := layer.DriftRule{
		Kind: kube.Ref(d.Object).GVK().GroupKind().String(), Namespace: literal(d.Object.Namespace), Name: literal(d.Object.Name), Mode: layer.DriftOff,
	}
	if d.Path != "" {
		rule.Paths = []string{d.Path}
	}
	return rule
}

// literal returns the pattern that matches s only.
func literal(s string) string {
	return strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`).Replace(s)
}

// RuleYAML returns [Drift.Rule] as YAML to paste into the layer.
func (d Drift) RuleYAML() string {
	data, err := yaml.Marshal(map[string]any{"drift": layer.DriftPolicy{Rules: []layer.DriftRule{d.Rule()}}})
	if err != nil {
		return "# " + err.Error() // never: strings are always YAML
	}
	return string(data)
}

// String says for people what happened, and who did it.
func (d Drift) String() string {
	if d.Field == "" {
		return d.Object.String() + " was deleted" + d.repaired()
	}
	text := fmt.Sprintf("%s %s: %s -> %s", d.Object, d.Field, orMissing(d.Old), orMissing(d.New))
	switch {
	case d.Manager != "":
		text += fmt.Sprintf(" by %q", d.Manager)
		if !d.Time.IsZero() {
			text += " at " + d.Time.UTC().Format(time.RFC3339)
		}
	case len(d.Suspects) > 0:
		text += ", perhaps by " + quoteAll(d.Suspects)
	}
	return text + d.repaired()
}

func (d Drift) repaired() string {
	if !d.Fight() {
		return ""
	}
	return fmt.Sprintf("; it was repaired %d times and is left alone until %s", d.Repairs, d.Until.UTC().Format(time.RFC3339))
}

// recall returns the drift that was found in an object before, and left.
func recall(name string, o inventory.Object) []Drift {
	if o.Drift == nil {
		return nil
	}
	var all []Drift
	for _, f := range o.Drift.Left {
		d := drifted(name, o.Ref, f)
		d.Mode = layer.DriftReport
		if f.Repairs > 0 {
			d.Mode, d.Until = layer.DriftCorrect, o.Drift.Until
		}
		all = append(all, d)
	}
	return all
}

// drifted returns what is known of a field of an object in a layer.
func drifted(name string, ref kube.Ref, f inventory.Field) Drift {
	return Drift{
		Layer: name, Object: ObjectRef(ref), Field: f.Field, Path: f.Path, Old: f.Old, New: f.New, Manager: f.Manager, Operation: f.Operation,
		Subresource: f.Subresource, Time: f.Time, Suspects: slices.Clone(f.Suspects), Repairs: f.Repairs,
	}
}

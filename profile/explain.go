package profile

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/strata-go/strata/internal/macro"
	"github.com/strata-go/strata/internal/nearest"
)

// An OriginKind says what sort of document sets a value.
type OriginKind string

// The kinds, from the one that counts least to the one that counts most.
const (
	FromChart    OriginKind = "chart"    // defaults of a chart
	FromPack     OriginKind = "pack"     // values.yaml of a pack
	FromPreset   OriginKind = "preset"   // that is switched on
	FromProfile  OriginKind = "profile"  // values of the layer
	FromOverride OriginKind = "override" // of the cluster
	FromMerge    OriginKind = "merge"    // of an override and an update of the profile
)

// An Origin is a document that sets values.
type Origin struct {
	Kind OriginKind `json:"kind"`
	// Name is that of the chart or pack, "group:name" of a preset,
	// "name@version" of a profile, the layer of an override.
	Name string `json:"name"`
	// File is the path in the pack or chart, or that of the profile; "" if
	// there is none.
	File string `json:"file,omitempty"`
}

// place returns "kind name (file)".
func (o Origin) place() string {
	s := string(o.Kind) + " " + o.Name
	if o.File != "" {
		s += " (" + o.File + ")"
	}
	return s
}

// An Explanation says where the value at one path of a layer comes from.
// Sensitive values do not stand in it.
type Explanation struct {
	Layer string `json:"layer"`
	Path  string `json:"path"`
	// Value is what the layer has in the end; nil if the path is not set.
	Value any  `json:"value"`
	Set   bool `json:"set"`
	// Steps say who set the value, last first: each replaces the next one, or
	// is merged with it if both are maps.
	Steps []ExplainStep `json:"steps"`
}

// An ExplainStep is what one document says of a path.
type ExplainStep struct {
	Origin
	// Line is that of the value in the file, from 1. It is counted in the
	// document if there is no file, as for an override or in what a preset
	// adds, and zero if a preset removes the value.
	Line int `json:"line,omitempty"`
	// Value is what the document sets, with macros replaced.
	Value any `json:"value"`
	// Removed says that the document removes the value, by a null or by what it
	// has in place of the map around it.
	Removed bool `json:"removed,omitempty"`
	// Macros are those that the value is made of.
	Macros []ExplainMacro `json:"macros,omitempty"`
}

// An ExplainMacro says what a macro is replaced by.
type ExplainMacro struct {
	Macro string `json:"macro"` // as it is written
	By    string `json:"by"`    // what gives the value: "variable replicas of the cluster"
	Value string `json:"value"`
}

// Explain says which document, macro or variable sets the value at a dotted
// path of the values of a layer, and what it replaces. The path is that of
// [PinnedLayer.MergedValues]. If content is nil, only what the profile and the
// override say is known. An unknown layer is an [*Error].
func (d *Desired) Explain(content Content, layer, path string) (*Explanation, error) {
	i := slices.IndexFunc(d.layers, func(l PinnedLayer) bool { return l.Name == layer })
	if i < 0 {
		names := make([]string, len(d.layers))
		for i, l := range d.layers {
			names[i] = l.Name
		}
		return nil, &Error{Problem: fmt.Sprintf("the stack has no layer %q%s", layer, nearest.Hint(layer, names)), Err: ErrInvalid}
	}
	s := d.layers[i].scope
	if content != nil {
		s.packs = &packs{content: content, files: map[int]files{}, known: map[packPath]packAnswer{}}
	}
	return s.explain(path)
}

func (s scope) explain(path string) (*Explanation, error) {
	documents, err := s.documents(withCharts)
	if err != nil {
		return nil, err
	}
	merged, err := s.merged(documents)
	if err != nil {
		return nil, err
	}
	e := &Explanation{Layer: s.layers[s.layer].Name, Path: path}
	e.Value, e.Set = valueAt(merged, path)
	for _, d := range slices.Backward(documents) {
		n, found := d.at(path)
		if !found {
			continue
		}
		step, err := s.step(d, n, path)
		if err != nil {
			return nil, err
		}
		e.Steps = append(e.Steps, step)
	}
	e.Value = s.redacted(e.Value)
	return e, nil
}

// step says what a document has at a path, where n stands.
func (s scope) step(d valueDocument, n *yaml.Node, path string) (ExplainStep, error) {
	step := ExplainStep{Origin: d.Origin, Removed: n == nil || n.Tag == "!!null"}
	if n != nil {
		step.Line = n.Line
		if d.Kind == FromProfile {
			step.Line = s.layers[s.layer].from.lineOf(s.layers[s.layer].Name, path, n.Line)
		}
	}
	if step.Removed {
		return step, nil
	}
	data, err := d.data(s.bind)
	if err != nil {
		return step, err
	}
	value, _ := valueAt(data, path)
	for _, text := range textsBelow(n, nil) {
		for _, m := range macro.Scan(text) {
			a, err := s.answer(m, nil)
			if err != nil {
				return step, err
			}
			step.Macros = append(step.Macros, ExplainMacro{text[m.Start:m.End], a.by, s.hidden(a.value)})
		}
	}
	step.Value = s.redacted(value)
	return step, nil
}

// lineOf returns the line in the file of p where a value of a layer stands, or
// inner, the line in the values, if p was not parsed.
func (p *Profile) lineOf(layer, path string, inner int) int {
	root, err := macro.Node([]byte(p.origin.text))
	if err != nil || root == nil {
		return inner
	}
	layers, ok := nodeAt(root, "spec.layers", 0)
	if !ok || layers == nil {
		return inner
	}
	for _, l := range layers.Content {
		if name, ok := nodeAt(l, "name", 0); !ok || name == nil || name.Value != layer {
			continue
		}
		values, ok := nodeAt(l, "values", 0)
		switch {
		case !ok || values == nil:
		case values.Kind == yaml.MappingNode:
			if n, ok := nodeAt(values, path, 0); ok && n != nil {
				return n.Line
			}
		case values.Style&(yaml.LiteralStyle|yaml.FoldedStyle) != 0:
			return values.Line + inner
		}
	}
	return inner
}

// textsBelow returns the scalars below n. Aliases are not followed.
func textsBelow(n *yaml.Node, texts []string) []string {
	if n.Kind == yaml.ScalarNode {
		return append(texts, n.Value)
	}
	for _, c := range n.Content {
		texts = textsBelow(c, texts)
	}
	return texts
}

// mark matches what a redactor puts in the place of a secret.
var mark = regexp.MustCompile(`\(sensitive [0-9a-f]+\)`)

// hidden returns text without secrets. Their hashes, which are others in each
// process, are left out too, so that explanations can be compared.
func (s scope) hidden(text string) string {
	return mark.ReplaceAllString(s.secrets.String(text), "(sensitive)")
}

// redacted returns v without secrets. A number that is one becomes a text.
func (s scope) redacted(v any) any {
	switch v := v.(type) {
	case map[string]any:
		m := make(map[string]any, len(v))
		for key, inner := range v {
			m[s.hidden(key)] = s.redacted(inner)
		}
		return m
	case []any:
		l := make([]any, len(v))
		for i, inner := range v {
			l[i] = s.redacted(inner)
		}
		return l
	case nil:
		return nil
	}
	text := fmt.Sprint(v)
	if f, ok := v.(float64); ok && f == float64(int64(f)) {
		text = fmt.Sprintf("%.0f", f)
	}
	if shown := s.hidden(text); shown != text {
		return shown
	}
	return v
}

// String returns the explanation for people: the value, and below it who set
// it, last first.
func (e *Explanation) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s", e.Layer, e.Path)
	if e.Set {
		fmt.Fprintf(&b, " = %s\n", inJSON(e.Value))
	} else {
		b.WriteString(" is not set\n")
	}
	for i, s := range e.Steps {
		verb := "set by"
		if i > 0 {
			verb = "over"
		}
		fmt.Fprintf(&b, "  %s %s", verb, s.place())
		if s.Line > 0 {
			fmt.Fprintf(&b, " line %d", s.Line)
		}
		if s.Removed {
			b.WriteString(": removed\n")
		} else {
			fmt.Fprintf(&b, ": %s\n", inJSON(s.Value))
		}
		for _, m := range s.Macros {
			fmt.Fprintf(&b, "    %s = %s, by %s\n", m.Macro, inJSON(m.Value), m.By)
		}
	}
	return b.String()
}

func inJSON(v any) string {
	data, err := json.Marshal(v)
	if err != nil {
		return fmt.Sprint(v)
	}
	return string(data)
}

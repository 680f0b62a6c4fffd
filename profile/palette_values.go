package profile

import (
	"bytes"
	"errors"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/strata-go/strata/internal/macro"
	"github.com/strata-go/strata/layer"
)

// What Palette keeps in the values of a pack. The order is written in the first
// form, and read in both.
const (
	packBlock        = "pack"
	namespaceKey     = "namespace"
	releaseNamesKey  = "releaseNameOverride"
	installOrderKey  = "spectrocloud.com/install-priority"
	installOrderKey2 = "pack.spectrocloud.com/install-priority"
)

// presetsLine is the comment in which Palette keeps the presets that are on.
var presetsLine = regexp.MustCompile(`(?m)^#[ \t]*spectrocloud\.com/enabled-presets:[ \t]*(.*)\n?`)

// cutPresets takes the presets out of the comment at the top of values.
func cutPresets(values string) (presets map[string]string, rest string) {
	at := presetsLine.FindStringSubmatchIndex(values)
	if at == nil || strings.Trim(withoutComments(values[:at[0]]), " \t\n") != "" {
		return nil, values
	}
	for entry := range strings.SplitSeq(values[at[2]:at[3]], ",") {
		if group, name, ok := strings.Cut(strings.TrimSpace(entry), ":"); ok {
			if presets == nil {
				presets = map[string]string{}
			}
			presets[group] = name
		}
	}
	return presets, values[:at[0]] + values[at[1]:]
}

func withoutComments(text string) string {
	var b strings.Builder
	for line := range strings.Lines(text) {
		if !strings.HasPrefix(strings.TrimSpace(line), "#") {
			b.WriteString(line)
		}
	}
	return b.String()
}

// presetsComment is the line that cutPresets takes out.
func presetsComment(presets map[string]string) string {
	if len(presets) == 0 {
		return ""
	}
	var entries []string
	for _, group := range slices.Sorted(maps.Keys(presets)) {
		entries = append(entries, group+":"+presets[group])
	}
	return "# spectrocloud.com/enabled-presets: " + strings.Join(entries, ",") + "\n"
}

// values gives a layer its values, and what Palette keeps in them.
func (im *importer) values(path string, l *layer.Layer, text string) {
	l.Presets, text = cutPresets(text)
	if strings.TrimSpace(withoutComments(text)) == "" && l.Pack == nil {
		return
	}
	doc, err := parseValues(text)
	if err != nil {
		l.Values = text // Validate says what is wrong with it
		return
	}
	block := doc.get(packBlock)
	if l.Kind == layer.AddOn {
		im.installOrder(path, l, doc)
	}
	if l.Pack != nil {
		l.Values = text // the pack reads the rest itself
		return
	}
	if n := block.get(namespaceKey); n.node != nil {
		l.Namespace = n.text()
	}
	chart := ""
	if l.Helm != nil {
		chart = l.Helm.Chart
		l.Helm.ReleaseName = block.get(releaseNamesKey, chart).text()
	}
	for _, key := range block.keys() {
		if !slices.Contains([]string{namespaceKey, releaseNamesKey, installOrderKey, installOrderKey2}, key) {
			im.notes.add(path+"."+packBlock+"."+key, "is an option of packs, and left out of this layer")
		}
	}
	l.Values = im.chartValues(path, l, doc, chart)
}

func (im *importer) installOrder(path string, l *layer.Layer, doc paletteValues) {
	for _, at := range []paletteValues{doc.get(packBlock, installOrderKey2), doc.get(packBlock, installOrderKey), doc.get(installOrderKey2), doc.get(installOrderKey)} {
		if at.node == nil {
			continue
		}
		order, err := strconv.Atoi(at.text())
		if err != nil {
			im.notes.add(path+"."+packBlock+"."+installOrderKey, "is %q, which is no number; the layer has no install order", at.text())
		}
		l.InstallOrder = order
		return
	}
}

// chartValues returns what a chart gets of the values of its pack: what is
// under charts.<chart>, or, if nothing is there, all but the options of packs.
func (im *importer) chartValues(path string, l *layer.Layer, doc paletteValues, chart string) string {
	rest := doc
	if wrapped := doc.get("charts", chart); wrapped.node != nil {
		rest = wrapped
		for _, key := range doc.keys() {
			if key != packBlock && key != "charts" {
				im.notes.add(path+"."+key, "is read by no chart, and left out")
			}
		}
		for _, key := range doc.get("charts").keys() {
			if key != chart {
				im.notes.add(path+".charts."+key, "is read by no chart, and left out")
			}
		}
	} else if doc.get(packBlock).node != nil {
		rest = doc.without(packBlock)
	}
	if len(rest.keys()) == 0 {
		return ""
	}
	if l.Helm == nil {
		im.notes.add(path, "only charts and packs have values; they are left out")
		return ""
	}
	text, err := rest.format()
	if err != nil {
		im.notes.add(path, "cannot be written: %v", err)
	}
	return text
}

// paletteValues are a YAML document with its comments, in which macros may stand
// anywhere, or a part of one.
type paletteValues struct {
	node    *yaml.Node // nil if there is none
	restore func(string) string
}

func parseValues(text string) (paletteValues, error) {
	protected, restore := macro.Protect(text)
	var doc yaml.Node
	if err := yaml.Unmarshal([]byte(protected), &doc); err != nil {
		return paletteValues{}, err
	}
	v := paletteValues{&yaml.Node{Kind: yaml.MappingNode}, restore}
	if len(doc.Content) > 0 && doc.Content[0].Kind == yaml.MappingNode {
		v.node = doc.Content[0]
		v.node.HeadComment = strings.TrimSpace(doc.HeadComment + "\n\n" + v.node.HeadComment)
	} else if doc.HeadComment != "" {
		v.node.HeadComment = doc.HeadComment
	}
	return v, nil
}

// get returns what is at a path.
func (v paletteValues) get(path ...string) paletteValues {
	for _, key := range path {
		found := (*yaml.Node)(nil)
		if v.node != nil && v.node.Kind == yaml.MappingNode {
			for i := 0; i+1 < len(v.node.Content); i += 2 {
				if v.node.Content[i].Value == key {
					found = v.node.Content[i+1]
				}
			}
		}
		v.node = found
	}
	return v
}

// text returns the text of a scalar, "" of anything else.
func (v paletteValues) text() string {
	if v.node == nil || v.node.Kind != yaml.ScalarNode {
		return ""
	}
	return v.restore(v.node.Value)
}

func (v paletteValues) keys() []string {
	var keys []string
	if v.node != nil && v.node.Kind == yaml.MappingNode {
		for i := 0; i < len(v.node.Content); i += 2 {
			keys = append(keys, v.restore(v.node.Content[i].Value))
		}
	}
	return keys
}

// set puts a text at a path, and makes the mappings on the way.
func (v paletteValues) set(text string, path ...string) {
	for _, key := range path[:len(path)-1] {
		next := v.get(key)
		if next.node == nil || next.node.Kind != yaml.MappingNode {
			next.node = &yaml.Node{Kind: yaml.MappingNode}
			v.put(key, next.node)
		}
		v = next
	}
	v.put(path[len(path)-1], &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: text})
}

func (v paletteValues) put(key string, value *yaml.Node) {
	v.node.Style &^= yaml.FlowStyle
	for i := 0; i+1 < len(v.node.Content); i += 2 {
		if v.node.Content[i].Value == key {
			v.node.Content[i+1] = value
			return
		}
	}
	v.node.Content = append(v.node.Content, &yaml.Node{Kind: yaml.ScalarNode, Value: key}, value)
}

// without returns v without a key.
func (v paletteValues) without(key string) paletteValues {
	n := *v.node
	n.Content = nil
	for i := 0; i+1 < len(v.node.Content); i += 2 {
		if v.node.Content[i].Value != key {
			n.Content = append(n.Content, v.node.Content[i], v.node.Content[i+1])
		}
	}
	return paletteValues{&n, v.restore}
}

func (v paletteValues) format() (string, error) {
	var b bytes.Buffer
	enc := yaml.NewEncoder(&b)
	enc.SetIndent(2)
	err := errors.Join(enc.Encode(v.node), enc.Close())
	return v.restore(b.String()), err
}

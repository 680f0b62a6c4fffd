package reconcile

import (
	"cmp"
	"encoding/xml"
	"fmt"
	"slices"
	"strings"
	"unicode"

	"github.com/strata-go/strata/layer"
)

// SVG returns the stack as a picture: the layers on each other, the bottom of
// the stack at the bottom, each with its version, health and counts. It is one
// SVG 1.1 document without references to others. Healths differ in shape and in
// word as well as in colour, text can be selected, and what is cut short is
// there in full as a title. Its colours follow the scheme of the viewer, light
// or dark.
func (s *Status) SVG() string {
	d := &drawing{y: svgHeader}
	for _, l := range slices.Backward(s.Layers) {
		d.layer(&l)
	}
	d.endKind()
	height := d.y + svgMargin - svgGap - svgKind
	if len(s.Layers) == 0 {
		height = svgHeader
	}
	var out strings.Builder
	fmt.Fprintf(&out, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" width="%[1]d" height="%[2]d" class="strata" role="img" aria-labelledby="strata-title strata-desc">`+"\n", svgWidth, height)
	fmt.Fprintf(&out, "<title id=\"strata-title\">%s</title>\n<desc id=\"strata-desc\">%s</desc>\n", escaped(s.title()), escaped(s.inWords()))
	out.WriteString(svgStyle)
	fmt.Fprintf(&out, "<rect class=\"page\" width=\"%d\" height=\"%d\" rx=\"12\"/>\n", svgWidth, height)
	out.WriteString(s.svgHead())
	out.WriteString(d.b.String())
	out.WriteString("</svg>\n")
	return out.String()
}

// Sizes, in the units of the picture.
const (
	svgWidth  = 880
	svgMargin = 24
	svgHeader = 92
	svgLeft   = 136 // of the layers; the kinds stand before them
	svgRow    = 58
	svgLine   = 19 // one more line in a row
	svgGap    = 6
	svgKind   = 12 // more between two kinds
	svgText   = svgLeft + 52
	svgRight  = svgWidth - svgMargin - 18
	svgSpace  = 16 // between two texts on a line
)

const svgStyle = `<style>
.strata text { font: 12px system-ui, -apple-system, "Segoe UI", Roboto, "DejaVu Sans", sans-serif; fill: #57606a }
.strata .page { fill: #f4f6f8 } .strata .card { fill: #fff; stroke: #d5dbe1 } .strata .bar { fill: #c3cbd3 }
.strata .head { font-size: 21px; font-weight: 600; fill: #1c2128 } .strata .name { font-size: 15px; font-weight: 600; fill: #1c2128 }
.strata .version, .strata .url { font-family: ui-monospace, SFMono-Regular, Menlo, "DejaVu Sans Mono", monospace }
.strata .version { font-size: 13px; fill: #424a53 } .strata .kind { font-size: 11px; font-weight: 600; letter-spacing: .06em }
.strata .health { font-size: 13px; font-weight: 600 } .strata .end { text-anchor: end } .strata .update { fill: #0550ae }
.strata .Ready { fill: #1a7f37 } .strata .Progressing { fill: #0a62c4 } .strata .Drifted { fill: #8a5a00 } .strata .Failed { fill: #c21f2c } .strata .Removing { fill: #59636e }
.strata .sign { fill: none; stroke: #fff; stroke-width: 2.2; stroke-linecap: round; stroke-linejoin: round }
@media (prefers-color-scheme: dark) {
.strata text { fill: #9aa5b1 } .strata .page { fill: #171c23 } .strata .card { fill: #1e252e; stroke: #333c47 } .strata .bar { fill: #3a434e }
.strata .head, .strata .name { fill: #e6eaef } .strata .version { fill: #b9c2cc } .strata .update { fill: #6cb2ff } .strata .sign { stroke: #11161c }
.strata .Ready { fill: #4cc36e } .strata .Progressing { fill: #6cb2ff } .strata .Drifted { fill: #e2ab45 } .strata .Failed { fill: #ff7b7b } .strata .Removing { fill: #9aa5b1 }
}
</style>
`

// svgSigns are shape and sign of each health, around the origin.
var svgSigns = map[Health]string{
	Ready:       `<circle class="Ready" r="12"/><path class="sign" d="M-5.5 .5 -1.5 4.5 5.5 -4"/>`,
	Progressing: `<rect class="Progressing" x="-12" y="-12" width="24" height="24" rx="6"/><path class="sign" d="M-5.5 0h.1M0 0h.1M5.5 0h.1"/>`,
	Drifted:     `<path class="Drifted" d="M0 -14 14 0 0 14 -14 0z"/><path class="sign" d="M-5 -2.5h10M-5 2.5h10M2.5 -6 -2.5 6"/>`,
	Failed:      `<path class="Failed" d="M-5.5 -13h11L13 -5.5v11L5.5 13h-11L-13 5.5v-11z"/><path class="sign" d="M-4.5 -4.5 4.5 4.5M4.5 -4.5-4.5 4.5"/>`,
	Removing:    `<rect class="Removing" x="-12" y="-8" width="24" height="16" rx="8"/><path class="sign" d="M-5 0h10"/>`,
}

// A drawing is the layers drawn so far, from the top.
type drawing struct {
	b      strings.Builder
	y      int
	kind   layer.Kind // of the layers that were drawn last
	kindAt int        // where they began
}

func (d *drawing) printf(format string, args ...any) { fmt.Fprintf(&d.b, format+"\n", args...) }

// endKind names the kind of the layers above.
func (d *drawing) endKind() {
	if d.kind == "" {
		return
	}
	height := d.y - svgGap - d.kindAt
	d.printf(`<rect class="bar" x="%d" y="%d" width="3" height="%d" rx="1.5"/>`, svgLeft-16, d.kindAt, height)
	d.printf(`<text class="kind end" x="%d" y="%d">%s</text>`, svgLeft-26, d.kindAt+svgRow/2+4, escaped(strings.ToUpper(string(d.kind))))
	d.y += svgKind
}

func (d *drawing) layer(l *LayerStatus) {
	if kind := l.Kind.OrDefault(); kind != d.kind {
		d.endKind()
		d.kind, d.kindAt = kind, d.y
	}
	const room = svgRight - svgText
	counts := l.counts()
	class, lines := "origin", []string{short(l.origin(), room-svgPlain.width(counts)-svgSpace, svgPlain)}
	if l.Message != "" {
		class, lines = string(l.Health), wrap(l.Message, room-svgPlain.width(counts)-svgSpace, 3, svgPlain)
	}
	if len(l.Endpoints) > 0 {
		lines = append(lines, endpointsWithin(l.Endpoints, room))
	}
	height := svgRow + (len(lines)-1)*svgLine
	d.printf(`<g>`)
	d.printf(`<title>%s</title>`, escaped(l.inWords()))
	d.printf(`<rect class="card" x="%d" y="%d" width="%d" height="%d" rx="8"/>`, svgLeft, d.y, svgWidth-svgMargin-svgLeft, height)
	d.printf(`<g transform="translate(%d %d)">%s</g>`, svgLeft+27, d.y+svgRow/2, svgSigns[l.Health])
	d.printf(`<text x="%d" y="%d">%s</text>`, svgText, d.y+25, l.heading(room-svgBold.width(string(l.Health))-svgSpace))
	d.printf(`<text class="health end %s" x="%d" y="%d">%s</text>`, l.Health, svgRight, d.y+25, l.Health)
	d.printf(`<text class="end" x="%d" y="%d">%s</text>`, svgRight, d.y+44, counts)
	for i, line := range lines {
		if i > 0 && i == len(lines)-1 && len(l.Endpoints) > 0 {
			class = "url"
		}
		d.printf(`<text class="%s" x="%d" y="%d">%s</text>`, class, svgText, d.y+44+i*svgLine, escaped(line))
	}
	d.printf(`</g>`)
	d.y += height + svgGap
}

// heading returns name, version and what is newer, within a width.
func (l *LayerStatus) heading(room int) string {
	more := ""
	if l.Version != "" {
		version := short(l.Version, 160, svgMono)
		room -= svgMono.width(version) + svgSpace
		more += fmt.Sprintf(`<tspan class="version" dx="10">%s</tspan>`, escaped(version))
	}
	if newest := l.newest(); newest != "" {
		update := "↑ " + short(newest, 110, svgPlain) + " available"
		room -= svgPlain.width(update) + svgSpace
		more += fmt.Sprintf(`<tspan class="update" dx="10">%s</tspan>`, escaped(update))
	}
	return fmt.Sprintf(`<tspan class="name">%s</tspan>`, escaped(short(l.Name, room, svgBold))) + more
}

func (s *Status) svgHead() string {
	var b strings.Builder
	fmt.Fprintf(&b, "<text class=\"head\" x=\"%d\" y=\"42\">%s</text>\n", svgMargin, escaped(short(s.Target.String(), 640, svgTitle)))
	if !s.Installed {
		fmt.Fprintf(&b, "<text x=\"%d\" y=\"64\">nothing is installed</text>\n", svgMargin)
		return b.String()
	}
	var names []string
	for _, p := range s.Profiles {
		names = append(names, p.String())
	}
	fmt.Fprintf(&b, "<text x=\"%d\" y=\"64\">%s</text>\n", svgMargin, escaped(short("Kubernetes "+s.KubernetesVersion+" · "+strings.Join(names, ", "), svgWidth-2*svgMargin-svgPlain.width(s.counts())-svgSpace, svgPlain)))
	fmt.Fprintf(&b, "<g transform=\"translate(%d 36)\">%s</g>\n", svgWidth-svgMargin-13, svgSigns[s.Health])
	fmt.Fprintf(&b, "<text class=\"health end %s\" x=\"%d\" y=\"41\">%s</text>\n", s.Health, svgWidth-svgMargin-36, s.Health)
	fmt.Fprintf(&b, "<text class=\"end\" x=\"%d\" y=\"64\">%s</text>\n", svgWidth-svgMargin, escaped(s.counts()))
	return b.String()
}

// escaped returns text as it stands in XML; what XML cannot hold is replaced.
func escaped(text string) string {
	var b strings.Builder
	_ = xml.EscapeText(&b, []byte(text)) // a strings.Builder never fails
	return b.String()
}

// oneLine returns a text that a cluster sent as it can be shown: without line
// breaks and what steers a terminal.
func oneLine(text string) string {
	return strings.Join(strings.FieldsFunc(text, func(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) }), " ")
}

// newest returns the newest version that there is, or "".
func (l *LayerStatus) newest() string {
	if l.Update == nil {
		return ""
	}
	return cmp.Or(l.Update.Major, l.Update.Minor, l.Update.Patch)
}

package reconcile

import (
	"fmt"
	"strings"
)

// A font estimates how wide texts are, as nobody knows the fonts of the viewer:
// as in a wide one, DejaVu Sans, so that what fits there fits elsewhere.
type font struct {
	size float64
	mono bool
	bold bool
}

// The fonts of the picture, as its styles have them.
var (
	svgTitle = font{size: 21, bold: true}
	svgBold  = font{size: 15, bold: true}
	svgPlain = font{size: 12}
	svgMono  = font{size: 13, mono: true}
	svgURL   = font{size: 12, mono: true}
)

func (f font) width(text string) int {
	sum := 0.0
	for _, r := range text {
		sum += f.em(r)
	}
	return int(sum*f.size) + 1
}

// em returns the width of a letter as a part of the size.
func (f font) em(r rune) float64 {
	em := 0.62
	switch {
	case r >= 0x1100: // most of these are as wide as they are high
		return 1
	case f.mono:
		return em
	case strings.ContainsRune(" .,:;'|!ijlI()[]/-", r):
		em = 0.38
	case strings.ContainsRune("mwMW@%…", r):
		em = 1
	case 'A' <= r && r <= 'Z':
		em = 0.72
	}
	if f.bold {
		em *= 1.12
	}
	return em
}

// head returns the length of as much of a text as fits.
func (f font) head(text string, room int) int {
	sum := 0.0
	for i, r := range text {
		if sum += f.em(r) * f.size; sum > float64(room-1) {
			return i
		}
	}
	return len(text)
}

// short returns as much of a text as fits, on one line.
func short(text string, room int, f font) string {
	text = oneLine(text)
	if f.head(text, room) == len(text) {
		return text
	}
	return strings.TrimRight(text[:f.head(text, room-f.width("…"))], " ") + "…"
}

// wrap returns a text as lines of a width, broken between words where that is
// possible. What is over the number of lines is cut short.
func wrap(text string, room, lines int, f font) []string {
	text = oneLine(text)
	var all []string
	for len(all) < lines-1 {
		n := f.head(text, room)
		if n == 0 || n == len(text) {
			break
		}
		if space := strings.LastIndex(text[:n+1], " "); space > n/3 {
			n = space
		}
		all = append(all, text[:n])
		text = strings.TrimLeft(text[n:], " ")
	}
	return append(all, short(text, room, f))
}

// endpointsWithin returns as many endpoints as fit, and how many more there are.
func endpointsWithin(all []Endpoint, room int) string {
	line := ""
	for i, e := range all {
		more := ""
		if rest := len(all) - i - 1; rest > 0 {
			more = fmt.Sprintf(" and %d more", rest)
		}
		next := strings.TrimPrefix(line+" · "+e.String(), " · ")
		if i > 0 && svgURL.width(next+more) > room {
			return fmt.Sprintf("%s and %d more", line, len(all)-i)
		}
		line = next
	}
	return short(line, room, svgURL)
}

func joinEndpoints(all []Endpoint) string {
	texts := make([]string, len(all))
	for i, e := range all {
		texts[i] = e.String()
	}
	return strings.Join(texts, ", ")
}

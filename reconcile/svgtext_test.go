package reconcile

import (
	"slices"
	"strings"
	"testing"
)

func TestWrap(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		text        string
		room, lines int
		want        []string
	}{
		{"short", 100, 3, []string{"short"}},
		{"", 100, 3, []string{""}},
		{"one two three\nfour", 60, 3, []string{"one two", "three", "four"}},
		{"one two three four five", 60, 2, []string{"one two", "three…"}},
		{"unbreakable-and-long", 60, 3, []string{"unbreak", "able-and-", "long"}},
		{strings.Repeat("日本語", 4), 60, 2, []string{"日本語日", "本語日…"}},
	} {
		got := wrap(tt.text, tt.room, tt.lines, svgPlain)
		if !slices.Equal(got, tt.want) {
			t.Errorf("%q is %q, want %q", tt.text, got, tt.want)
		}
		for _, line := range got {
			if svgPlain.width(line) > tt.room {
				t.Errorf("%q is wider than %d", line, tt.room)
			}
		}
	}
}

func TestEndpointsWithin(t *testing.T) {
	t.Parallel()
	var all []Endpoint
	for _, host := range []string{"a.example.com", "b.example.com", "c.example.com"} {
		all = append(all, Endpoint{Protocol: "https", Host: host, Port: 443})
	}
	for room, want := range map[int]string{
		1000: "https://a.example.com:443 · https://b.example.com:443 · https://c.example.com:443",
		500:  "https://a.example.com:443 · https://b.example.com:443 and 1 more",
		300:  "https://a.example.com:443 and 2 more",
	} {
		if got := endpointsWithin(all, room); got != want {
			t.Errorf("within %d they are %q, want %q", room, got, want)
		}
	}
}

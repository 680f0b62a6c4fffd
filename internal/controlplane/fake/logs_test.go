package fake

import "testing"

func TestExcerpt(t *testing.T) {
	for name, test := range map[string]struct{ log, lines, bytes, want string }{
		"whole":                         {"one\ntwo\n", "", "", "one\ntwo\n"},
		"last line is ended":            {"one\ntwo", "", "", "one\ntwo\n"},
		"last lines":                    {"one\ntwo\nthree", "2", "", "two\nthree\n"},
		"more than there is":            {"one", "9", "99", "one\n"},
		"first bytes of the last lines": {"one\ntwo\nthree", "2", "5", "two\nt"},
		"nothing":                       {"", "3", "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			if got := excerpt(test.log, test.lines, test.bytes); got != test.want {
				t.Errorf("excerpt: %q, want %q", got, test.want)
			}
		})
	}
}

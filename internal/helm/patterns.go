package helm

import (
	"regexp/syntax"
	"strings"
)

const (
	// maxMatching bounds one matching: the length of the text times that of the
	// program of the pattern. It takes some seconds.
	maxMatching = 1 << 28
	// maxVersion is the length of the longest text that is read as a version.
	maxVersion = 4096
)

// matching counts the work of matching a pattern, before it is done.
func (r *run) matching(pattern, s string) {
	r.read(s)
	r.fits(int64(len(s)))
	// A pattern makes a program of up to a thousand times its length.
	if cost := times(len(pattern)+1, len(s)+1); cost < maxMatching/1000 {
		r.work(cost / bytesPerStep)
		return
	}
	if len(pattern) > 1<<20 {
		panic(&LimitError{"pattern", maxMatching})
	}
	parsed, err := syntax.Parse(pattern, syntax.Perl)
	if err != nil {
		return // the function says so
	}
	program, err := syntax.Compile(parsed.Simplify())
	if err != nil {
		return
	}
	cost := times(len(program.Inst), len(s)+1)
	if cost > maxMatching {
		panic(&LimitError{"pattern", maxMatching})
	}
	r.work(cost / 256)
}

// patterns are the functions that match patterns.
func (r *run) patterns(base map[string]any) map[string]any {
	out := map[string]any{}
	for name, fn := range base {
		if !strings.Contains(strings.ToLower(name), "regex") && !strings.HasPrefix(name, "semver") {
			continue
		}
		switch f := fn.(type) {
		case func(string, string) bool:
			out[name] = func(p, s string) bool { r.matching(p, s); return f(p, s) }
		case func(string, string) (bool, error):
			if strings.HasPrefix(name, "semver") {
				out[name] = func(p, s string) (bool, error) { r.version(p, s); return f(p, s) }
			} else {
				out[name] = func(p, s string) (bool, error) { r.matching(p, s); return f(p, s) }
			}
		case func(string, string) string:
			out[name] = func(p, s string) string { r.matching(p, s); return r.text(f(p, s)) }
		case func(string, string) (string, error):
			out[name] = func(p, s string) (string, error) { r.matching(p, s); t, err := f(p, s); return r.text(t), err }
		case func(string, string, string) string:
			out[name] = func(p, s, with string) string { r.replacing(p, s, with); return r.text(f(p, s, with)) }
		case func(string, string, string) (string, error):
			out[name] = func(p, s, with string) (string, error) {
				r.replacing(p, s, with)
				t, err := f(p, s, with)
				return r.text(t), err
			}
		case func(string, string, int) []string:
			out[name] = func(p, s string, n int) []string { r.finding(p, s); return f(p, s, n) }
		case func(string, string, int) ([]string, error):
			out[name] = func(p, s string, n int) ([]string, error) { r.finding(p, s); return f(p, s, n) }
		}
	}
	return out
}

// replacing counts what replacing may make: a text for every place in s.
func (r *run) replacing(pattern, s, with string) {
	r.matching(pattern, s)
	r.fits(times(len(s)+1, len(with)) / 4)
}

// finding counts what finding all may make: a text for every place in s.
func (r *run) finding(pattern, s string) {
	r.matching(pattern, s)
	r.fits(16 * int64(len(s)))
	r.made(int64(len(s)))
}

func (r *run) version(texts ...string) {
	for _, t := range texts {
		if len(t) > maxVersion {
			panic(&LimitError{"text", maxVersion})
		}
	}
	r.work(10)
}

package helm

import (
	"encoding/base64"
	"iter"
	"strings"

	"github.com/strata-go/strata/internal/manifest"
)

// Recall returns what the random values and certificates of p were in an earlier
// rendering, of which only the manifest is known. made is the manifest that came
// with p. Where both have the same around a value, the earlier one stands in the
// place of it. What cannot be found, or is found to have been several things, is
// left out; so are all certificates if one is: they belong together.
func (p Past) Recall(made, earlier []manifest.Object) Past {
	r := recalling{past: p, found: map[string]string{}}
	then := map[manifest.Key]manifest.Object{}
	for _, o := range earlier {
		then[o.Key()] = o
	}
	for _, o := range made {
		if was, ok := then[o.Key()]; ok {
			r.compare(o.Object, was.Object)
		}
	}
	return r.results()
}

// shortestRecalled is the length of the shortest value that is looked for: a
// shorter one may stand in a text by chance.
const shortestRecalled = 4

// several is what is found of a value that was not one thing.
const several = ""

type recalling struct {
	past  Past
	found map[string]string // earlier texts, by those of past
}

// compare finds values in what stands in the same place of two objects.
func (r *recalling) compare(now, then any) {
	switch now := now.(type) {
	case map[string]any:
		then, _ := then.(map[string]any)
		for k := range now {
			r.compare(now[k], then[k])
		}
	case []any:
		then, _ := then.([]any)
		for i := range min(len(now), len(then)) {
			r.compare(now[i], then[i])
		}
	case string:
		if then, ok := then.(string); ok {
			r.text(now, then)
			a, errA := base64.StdEncoding.DecodeString(now)
			b, errB := base64.StdEncoding.DecodeString(then)
			if errA == nil && errB == nil {
				r.text(string(a), string(b))
			}
		}
	}
}

// text finds values in two texts that are the same but for them.
func (r *recalling) text(now, then string) {
	var in []string
	for _, v := range r.past.Values {
		for _, value := range []string{v.Text, v.Cert} {
			if len(value) >= shortestRecalled && strings.Contains(now, value) {
				in = append(in, value)
			}
		}
	}
	if len(in) == 1 && isPEM(in[0]) { // which has not always the same length
		before, after, _ := strings.Cut(now, in[0])
		if rest, ok := strings.CutPrefix(then, before); ok {
			if rest, ok = strings.CutSuffix(rest, after); ok && isPEM(rest) {
				r.note(in[0], rest)
			}
		}
		return
	}
	if len(now) != len(then) {
		return
	}
	around := []byte(now)
	for _, value := range in {
		for at := range occurrences(now, value) {
			copy(around[at:], then[at:at+len(value)])
		}
	}
	if string(around) != then {
		return // it differs elsewhere
	}
	for _, value := range in {
		for at := range occurrences(now, value) {
			r.note(value, then[at:at+len(value)])
		}
	}
}

// occurrences yields where a value stands in a text.
func occurrences(text, value string) iter.Seq[int] {
	return func(yield func(int) bool) {
		for at := 0; ; at += len(value) {
			i := strings.Index(text[at:], value)
			if i < 0 || !yield(at+i) {
				return
			}
			at += i
		}
	}
}

func isPEM(text string) bool { return strings.HasPrefix(text, "-----BEGIN ") }

// note keeps what a value was in one place.
func (r *recalling) note(value, was string) {
	if known, ok := r.found[value]; ok && known != was {
		was = several
	}
	r.found[value] = was
}

// results returns those values of the past of which all is found.
func (r *recalling) results() Past {
	out := Past{Values: map[string]Result{}}
	certs, all := []string{}, true
	for key, v := range r.past.Values {
		text := r.found[v.Text]
		if v.Cert == "" && text != several {
			out.Values[key] = Result{Text: text}
		}
		if v.Cert != "" {
			certs = append(certs, key)
			all = all && text != several && r.found[v.Cert] != several
		}
	}
	if all {
		for _, key := range certs {
			v := r.past.Values[key]
			out.Values[key] = Result{Text: r.found[v.Text], Cert: r.found[v.Cert]}
		}
	}
	return out
}

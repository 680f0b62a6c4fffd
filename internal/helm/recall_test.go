package helm_test

import (
	"strings"
	"testing"

	"github.com/strata-go/strata/internal/helm"
	"github.com/strata-go/strata/internal/manifest"
)

// What templates made is found in the manifest of an earlier rendering, and
// rendering with it gives that manifest again.
func TestRecall(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		template string
		rounds   int  // of recalling, until all is the same
		never    bool // becomes the same
	}{
		"plain":                 {"stringData: {a: {{ randAlphaNum 12 | quote }}}", 1, false},
		"encoded":               {"data: {a: {{ randAlphaNum 12 | b64enc }}}", 1, false},
		"in a text":             {"stringData: {a: 'postgres://me:{{ randAlphaNum 12 }}@db'}", 1, false},
		"two in a text":         {"stringData: {a: '{{ randAlphaNum 12 }}:{{ randAlphaNum 12 }}'}", 1, false},
		"in an encoded text":    {"data: {a: {{ printf \"[db]\\npassword=%s\\n\" (randAlphaNum 12) | b64enc }}}", 1, false},
		"twice":                 {"{{ $p := uuidv4 }}\nstringData: {a: {{ $p }}, b: {{ $p }}}", 1, false},
		"in a list":             {"items: [{a: x}, {a: {{ randAlpha 20 }}}]", 1, false},
		"with its checksum":     {"{{ $p := randAlphaNum 12 }}\nstringData: {a: {{ $p }}, sum: {{ sha256sum $p }}}", 1, false},
		"a hash of another":     {"{{ $p := randAlphaNum 12 }}\nstringData: {a: {{ $p }}, hash: {{ htpasswd \"me\" $p | quote }}}", 2, false},
		"self-signed":           {"{{ $c := genSelfSignedCert \"a\" nil nil 365 }}\ndata: {crt: {{ b64enc $c.Cert }}, key: {{ b64enc $c.Key }}}", 1, false},
		"an authority":          {"{{ $a := genCA \"ca\" 365 }}\n{{ $c := genSignedCert \"a\" nil nil 365 $a }}\ndata: {ca: {{ b64enc $a.Cert }}, cakey: {{ b64enc $a.Key }}, crt: {{ b64enc $c.Cert }}, key: {{ b64enc $c.Key }}}", 2, false},
		"a lost authority":      {"{{ $a := genCA \"ca\" 365 }}\n{{ $c := genSignedCert \"a\" nil nil 365 $a }}\ndata: {ca: {{ b64enc $a.Cert }}, crt: {{ b64enc $c.Cert }}, key: {{ b64enc $c.Key }}}", 0, true},
		"only its checksum":     {"stringData: {sum: {{ randAlphaNum 12 | sha256sum }}}", 0, true},
		"too short to be found": {"stringData: {a: {{ randNumeric 3 | quote }}}", 0, true},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			chart := load(t, "-- Chart.yaml --\napiVersion: v2\nname: c\nversion: 1.0.0\n-- templates/a.yaml --\n"+
				"apiVersion: v1\nkind: Secret\nmetadata: {name: a}\n"+test.template+"\n")
			render := func(past helm.Past) *helm.Rendered {
				r, err := chart.Render(t.Context(), helm.Request{ReleaseName: "r", Namespace: "ns", Past: past})
				if err != nil {
					t.Fatal(err)
				}
				return r
			}
			earlier := render(helm.Past{})
			now := render(helm.Past{})
			var past helm.Past
			for range test.rounds {
				past.Add(now.Past.Recall(objectsIn(t, now), objectsIn(t, earlier)))
				now = render(past)
			}
			if test.never {
				past = now.Past.Recall(objectsIn(t, now), objectsIn(t, earlier))
				if len(past.Values) > 0 {
					t.Errorf("recalled %v", past.Values)
				}
			} else if now.Manifest != earlier.Manifest {
				t.Errorf("got\n%s\nwant\n%s", now.Manifest, earlier.Manifest)
			}
		})
	}
}

func objectsIn(t *testing.T, r *helm.Rendered) []manifest.Object {
	t.Helper()
	objects, err := manifest.Parse("manifest", []byte(r.Manifest))
	if err != nil {
		t.Fatal(err)
	}
	return objects
}

// A value that was two things in two places is neither.
func TestRecallSeveral(t *testing.T) {
	t.Parallel()
	parse := func(a, b string) []manifest.Object {
		objects, err := manifest.Parse("m", []byte("apiVersion: v1\nkind: Secret\nmetadata: {name: a}\nstringData: {a: "+a+", b: "+b+"}\n"))
		if err != nil {
			t.Fatal(err)
		}
		return objects
	}
	past := helm.Past{Values: map[string]helm.Result{"call": {Text: "password"}}}
	if got := past.Recall(parse("password", "password"), parse("PASSWORD", "PaSSWoRD")); len(got.Values) > 0 {
		t.Errorf("recalled %v", got.Values)
	}
	got := past.Recall(parse("password", "password"), parse("PASSWORD", "other"))
	if got.Values["call"].Text != strings.ToUpper("password") {
		t.Errorf("recalled %v", got.Values)
	}
}

package helm_test

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/strata-go/strata/internal/helm"
)

// Each function whose result is another one each time.
var impure = map[string]string{
	"randAlphaNum": `{{ randAlphaNum 20 }}`, "randAlpha": `{{ randAlpha 20 }}`, "randAscii": `{{ randAscii 20 | b64enc }}`,
	"randNumeric": `{{ randNumeric 20 }}`, "randBytes": `{{ randBytes 20 }}`, "randInt": `{{ randInt 0 1000000000 }}`,
	"shuffle": `{{ shuffle "abcdefghijklmnopqrstuvwxyz" }}`, "uuidv4": `{{ uuidv4 }}`,
	"encryptAES": `{{ encryptAES "key" "text" }}`, "bcrypt": `{{ bcrypt "a" }}`, "htpasswd": `{{ htpasswd "a" "b" }}`,
	"genPrivateKey": `{{ genPrivateKey "ecdsa" }}`, "ed25519": `{{ genPrivateKey "ed25519" }}`,
	"genCA":             `{{ $ca := genCA "a" 10 }}{{ $ca.Cert }}{{ (genSignedCert "b" nil nil 10 $ca).Key }}`,
	"genSelfSigned":     `{{ (genSelfSignedCert "b" nil (list "x") 10).Cert }}`,
	"with keys":         `{{ $k := genPrivateKey "ecdsa" }}{{ (genSignedCertWithKey "b" nil nil 10 (genCAWithKey "a" 10 $k) $k).Cert }}{{ (genSelfSignedCertWithKey "b" nil nil 10 $k).Cert }}`,
	"now":               `{{ now }}{{ now.UnixNano }}`,
	"date of nothing":   `{{ date "15:04:05.000000000" "" }}{{ dateInZone "15:04:05.000000000" nil "UTC" }}`,
	"several of a kind": `{{ randAlphaNum 20 }} {{ randAlphaNum 20 }} {{ randAlphaNum 21 }}`,
	"in a manifest":     `{{ tpl "{{ randAlphaNum 20 }}" . }}{{ include "x" . }}{{ define "x" }}{{ uuidv4 }}{{ end }}`,
}

func TestReplay(t *testing.T) {
	t.Parallel()
	for name, template := range impure {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			first, past := once(t, template, helm.Past{})
			other, _ := once(t, template, helm.Past{})
			again, same := once(t, template, past)
			if first == other {
				t.Errorf("it is not another one each time: %s", first)
			}
			if again != first || !reflect.DeepEqual(same, past) {
				t.Errorf("\n got %s\nwant %s", again, first)
			}
			if moved, _ := once(t, "{{/* moved */}}"+template+"\nmore: {{ randAlphaNum 30 }}", past); !strings.HasPrefix(moved, first) {
				t.Errorf("with another call after it: %s, want %s", moved, first)
			}
		})
	}
}

// once renders a manifest that is a template.
func once(t *testing.T, template string, past helm.Past) (string, helm.Past) {
	t.Helper()
	text, kept, err := helm.Template{Name: "a.yaml", Text: template, Past: past}.Execute(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return text, kept
}

// What has expired, or soon will, is made anew, and with it what it signed.
func TestReplayOfExpiring(t *testing.T) {
	t.Parallel()
	const template = `{{ $ca := genCA "a" %d }}{{ $ca.Cert }}{{ (genSignedCert "b" nil nil 10 $ca).Cert }}`
	first, past := once(t, fmt.Sprintf(template, 0), helm.Past{})
	again, _ := once(t, fmt.Sprintf(template, 0), past)
	for i, part := range strings.SplitAfter(first, "-----END CERTIFICATE-----") {
		if len(part) > 10 && strings.Contains(again, part) {
			t.Errorf("certificate %d stays", i)
		}
	}
}

func TestPastSecrets(t *testing.T) {
	t.Parallel()
	text, past := once(t, `{{ randAlphaNum 8 }} {{ randAlphaNum 5 }} {{ (genCA "a" 1).Key }} {{ now }} {{ randInt 1 9 }}`, helm.Past{})
	secrets := past.Secrets()
	if len(secrets) != 2 || !strings.Contains(text, secrets[0]) || !strings.Contains(text, secrets[1]) {
		t.Errorf("secrets are %q", secrets)
	}
}

// A file that is included whole, as for a checksum, has the values that it has
// as an object; a template that is included twice gives two values.
func TestReplayOfIncluded(t *testing.T) {
	t.Parallel()
	r := render(t, header+"-- templates/secret.yaml --\n"+
		`apiVersion: v1
kind: ConfigMap
metadata: {name: made}
data: {value: {{ randAlphaNum 20 }}, sum: ""}
-- templates/a.yaml --
apiVersion: v1
kind: ConfigMap
metadata: {name: sum}
data: {value: {{ (include "bad/templates/secret.yaml" . | fromYaml).data.value }}, a: {{ include "one" . }}, b: {{ include "one" . }}}
-- templates/_one.tpl --
{{ define "one" }}{{ randAlphaNum 20 }}{{ end }}
`, nil)
	sum, made := data(t, r.Objects, "sum"), data(t, r.Objects, "made")
	if sum["value"] != made["value"] || sum["value"] == sum["a"] || sum["a"] == sum["b"] {
		t.Errorf("got %v and %v", sum, made)
	}
}

func TestLookup(t *testing.T) {
	t.Parallel()
	const template = `{{ (lookup "v1" "Secret" "ns" "x").data.a }} {{ len (lookup "v1" "Secret" "" "").items }} {{ (lookup "v1" "Secret" "ns" "x").data.a }}`
	asked := 0
	find := func(_ context.Context, of helm.Lookup) (map[string]any, error) {
		asked++
		if of.Name == "" {
			return map[string]any{"items": []any{1, 2}}, nil
		}
		return map[string]any{"data": map[string]any{"a": of.Namespace + of.Name}}, nil
	}
	render := func(past helm.Past, find helm.LookupFunc) (string, helm.Past, error) {
		return helm.Template{Name: "a.yaml", Text: template, Past: past, Lookup: find}.Execute(t.Context())
	}
	text, past, err := render(helm.Past{}, find)
	if err != nil || text != "nsx 2 nsx" || asked != 2 {
		t.Fatalf("got %q, %v; asked %d times", text, err, asked)
	}
	forbidden := errors.New("forbidden")
	if text, _, err = render(past, func(context.Context, helm.Lookup) (map[string]any, error) { return nil, forbidden }); err != nil || text != "nsx 2 nsx" {
		t.Errorf("replayed is %q, %v", text, err)
	}
	_, _, err = render(helm.Past{}, func(context.Context, helm.Lookup) (map[string]any, error) { return nil, forbidden })
	if e := new(helm.TemplateError); !errors.Is(err, forbidden) || !errors.As(err, &e) || e.Template != "a.yaml" || e.Line != 1 {
		t.Errorf("got %v", err)
	}
}

func TestQueries(t *testing.T) {
	t.Parallel()
	for template, want := range map[string]helm.Queries{
		`{{ .Values.a }}`:                                         {},
		`{{ .Capabilities.KubeVersion.Minor }}`:                   {KubeVersion: true},
		`{{ if false }}{{ $.Capabilities.KubeVersion }}{{ end }}`: {KubeVersion: true},
		`{{ .Capabilities.APIVersions.Has "policy/v1" }}`:         {KubeVersion: true},
		`{{ $.Capabilities.APIVersions.Has "a.io/v1" }}{{ "b.io/v1/X" | .Capabilities.APIVersions.Has }}`: {APIs: []string{"a.io/v1", "b.io/v1/X"}},
		`{{ if false }}{{ .Capabilities.APIVersions.Has "a.io/v1" }}{{ end }}`:                            {},
		`{{ $a := .Capabilities.APIVersions }}{{ $a.Has "a.io/v1" }}`:                                     {AllAPIs: true, APIs: []string{"a.io/v1"}},
		`{{ tpl "{{ .Capabilities.KubeVersion }}" . }}`:                                                   {KubeVersion: true},
		`{{ toYaml .Capabilities }}`:                                                                      {KubeVersion: true, AllAPIs: true},
		`{{ index . "Capabilities" | toYaml }}`:                                                           {KubeVersion: true, AllAPIs: true},
	} {
		r := render(t, header+"-- templates/NOTES.txt --\n"+template, nil)
		if !reflect.DeepEqual(r.Queries, want) {
			t.Errorf("%s: got %+v, want %+v", template, r.Queries, want)
		}
	}
	q := helm.Queries{KubeVersion: true, APIs: []string{"a.io/v1", "b.io/v1"}}
	equal(t, "answers", q.Answers(helm.Capabilities{KubeVersion: "v1.33.0", APIVersions: []string{"b.io/v1", "c.io/v1"}}), []string{"v1.33.0", "b.io/v1"})
}

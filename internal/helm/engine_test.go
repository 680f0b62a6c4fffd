package helm_test

import (
	"bytes"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/strata-go/strata/internal/helm"
	"helm.sh/helm/v3/pkg/chart/loader"
	"helm.sh/helm/v3/pkg/chartutil"
	"helm.sh/helm/v3/pkg/engine"
)

// corners are templates of a chart named "bad", and what may be otherwise in
// another engine. Each gives a text or an error.
var corners = map[string]string{
	"missing key":             `{{ .Values.none }}|{{ .Values.none | quote }}|{{ index .Values "none" }}|{{ .none }}|{{ printf "%v" .none }}`,
	"missing in a map":        `{{ $m := dict "a" 1 }}{{ $m.b }}|{{ (dict).x }}`,
	"no value in a text":      `{{ "<no value>" }}`,
	"nil pointer":             `{{ .Values.a.b.c }}`,
	"wrong type":              `{{ upper .Values.none }}`,
	"wrong number":            `{{ upper "a" "b" }}`,
	"undefined function":      `{{ nonsense }}`,
	"environment":             `{{ expandenv "$HOME" }}`,
	"syntax":                  "a\n{{ if }}",
	"unclosed":                "{{ range .Values }}",
	"unknown template":        `{{ template "none" . }}`,
	"unknown include":         `{{ include "none" . }}`,
	"template":                `{{ define "t" }}[{{ .x }}]{{ end }}{{ template "t" (dict "x" 1) }}{{ template "t" }}`,
	"block":                   `{{ block "b" .Values }}{{ .name }}{{ end }}`,
	"include in include":      `{{ define "a" }}{{ include "b" . | indent 2 }}{{ end }}{{ define "b" }}{{ .Chart.Name }}{{ end }}{{ include "a" . }}`,
	"error in include":        "{{ define \"a\" }}\n{{ .Values.x.y }}{{ end }}{{ include \"a\" . }}",
	"error in template":       "{{ define \"a\" }}\n{{ .Values.x.y }}{{ end }}{{ template \"a\" . }}",
	"required":                `{{ required "set it: (now)" .Values.none }}`,
	"required empty":          `{{ required "set it" "" }}`,
	"required in include":     `{{ define "a" }}{{ required "set: it" .Values.none }}{{ end }}{{ include "a" . }}`,
	"required false":          `{{ required "set it" false }}{{ required "set it" 0 }}`,
	"fail":                    "\n  {{ fail \"no\" }}",
	"fail in tpl":             `{{ tpl "{{ fail \"no\" }}" . }}`,
	"recursion":               `{{ define "a" }}{{ include "a" . }}{{ end }}{{ include "a" . }}`,
	"counted recursion":       `{{ define "a" }}{{ if gt . 0 }}{{ . }} {{ include "a" (sub . 1 | int) }}{{ end }}{{ end }}{{ include "a" 100 }}`,
	"tpl":                     `{{ tpl "{{ .Values.name }} {{ .Template.Name }} {{ .none }}" . }}`,
	"tpl with define":         `{{ tpl "{{ define \"x\" }}in{{ end }}{{ include \"x\" . }}" . }}`,
	"define of tpl is gone":   `{{ tpl "{{ define \"x\" }}in{{ end }}" . }}{{ include "x" . }}`,
	"tpl replaces a define":   `{{ define "a" }}out{{ end }}{{ define "b" }}{{ include "a" . }}{{ end }}{{ tpl "{{ define \"a\" }}in{{ end }}{{ include \"b\" . }}" . }}{{ include "b" . }}`,
	"tpl in tpl":              `{{ tpl "{{ tpl \"{{ .Values.name }}\" . }}" . }}`,
	"tpl twice":               `{{ tpl "{{ until 2 }}" . }}{{ tpl "{{ until 2 }}{{ seq 2 }}" . }}{{ untilStep 0 4 2 }}`,
	"functions after tpl":     `{{ tpl "{{ define \"q\" }}{{ camelcase \"a_b\" }}{{ end }}{{ include \"q\" . }}" . }}{{ $t := "{{ camelcase \"c_d\" }}" }}{{ tpl $t . }}`,
	"tpl with bad syntax":     `{{ tpl "{{ if }}" . }}`,
	"tpl fails":               `{{ tpl "{{ .Values.a.b }}" . }}`,
	"empty tpl":               `{{ tpl "" . }}{{ tpl "{{/* a */}}" . }}|`,
	"files":                   `{{ .Files.Get "a.txt" }}{{ .Files.Get "none" }}{{ range .Files.Lines "a.txt" }}<{{ . }}>{{ end }}{{ .Files.GetBytes "a.txt" }}`,
	"files glob":              `{{ range $p, $_ := .Files.Glob "dir/*.txt" }}{{ $p }} {{ end }}{{ (.Files.Glob "dir/**").AsConfig }}{{ (.Files.Glob "**.txt").AsSecrets }}`,
	"files outside":           `{{ .Files.Get "../../etc/passwd" }}{{ .Files.Get "/etc/passwd" }}{{ .Files.Get "Chart.yaml" }}{{ .Files.Get "templates/x.yaml" }}`,
	"chart":                   `{{ .Chart.Name }} {{ .Chart.Version }} {{ .Chart.IsRoot }} {{ .Chart.AppVersion }} {{ .Template.BasePath }}`,
	"subcharts":               `{{ .Subcharts.sub.Chart.Name }} {{ .Subcharts.sub.Values.a }} {{ include "sub.x" .Subcharts.sub }}`,
	"library":                 `{{ include "lib.x" . }}`,
	"capabilities":            `{{ .Capabilities.KubeVersion }} {{ .Capabilities.KubeVersion.Version }} {{ .Capabilities.KubeVersion.GitVersion }} {{ .Capabilities.APIVersions.Has "apps/v1" }} {{ "apps/v9" | .Capabilities.APIVersions.Has }} {{ has "v1" .Capabilities.APIVersions }} {{ .Capabilities.HelmVersion.Version }}`,
	"capabilities by alias":   `{{ $c := .Capabilities }}{{ $a := $c.APIVersions }}{{ if $a.Has "apps/v1" }}yes{{ end }}{{ if and ($c.APIVersions.Has "x/v1") true }}yes{{ end }}`,
	"value named Has":         `{{ $m := dict "Has" "x" }}{{ $m.Has }}`,
	"range":                   `{{ range $i, $v := list 1 2 3 }}{{ if eq $v 2 }}{{ continue }}{{ end }}{{ $i }}{{ $v }}{{ end }}{{ range list 1 2 3 }}{{ break }}{{ end }}{{ range $k, $v := dict "b" 1 "a" 2 }}{{ $k }}{{ $v }}{{ end }}{{ range 3 }}{{ . }}{{ else }}x{{ end }}{{ range list }}{{ else }}none{{ end }}`,
	"range over a text":       `{{ range "abc" }}{{ end }}`,
	"with":                    `{{ with .Values.none }}x{{ else with .Values.name }}{{ . }}{{ end }}`,
	"variables":               `{{ $a := 1 }}{{ range list 1 2 }}{{ $a = . }}{{ end }}{{ $a }}`,
	"trim":                    "a  \n {{- 1 -}} \n b",
	"printing":                `{{ dict "a" (list 1 "b") }} {{ list }} {{ 1.0 }} {{ true }} {{ print 1 2 "a" "b" }}{{ println 1 }}{{ printf "%5d|%-5s|%q|%v|%*d" 1 "a" "b" (list 1) 4 2 }}{{ html "<" }}{{ js "'" }}{{ urlquery "a b" }}{{ nil }}`,
	"printf of a wide number": `{{ printf "%9999999d" 1 }}`,
	"conversion":              `{{ toYaml (dict "a" (list 1 2)) }}|{{ toYamlPretty (dict "a" (list 1 2)) }}|{{ toJson (dict "a" nil) }}|{{ toToml (dict "a" 1) }}|{{ toPrettyJson (dict "a" 1) }}|{{ toRawJson "<" }}`,
	"reading":                 `{{ fromYaml "a: [1, {b: c}]" }}{{ fromYamlArray "[1, 2]" }}{{ fromJson "{\"a\": 1}" }}{{ fromJsonArray "[1]" }}{{ fromToml "a = [1]" }}{{ fromYaml "" }}{{ fromJson "null" }}`,
	"reading junk":            `{{ (fromYaml "[").Error }}|{{ (fromJson "[").Error }}|{{ fromYamlArray "{" }}|{{ fromJsonArray "{" }}|{{ (fromToml "=").Error }}|{{ fromYaml "a" }}`,
	"lists":                   `{{ append (list 1) 2 }}{{ prepend (list 1) 0 }}{{ concat (list 1) (list 2) }}{{ uniq (list 1 1 2) }}{{ without (list 1 2) 1 }}{{ has 1 (list 1) }}{{ slice (list 1 2 3) 1 2 }}{{ first (list 1 2) }}{{ rest (list 1 2) }}{{ initial (list 1 2) }}{{ last (list 1 2) }}{{ reverse (list 1 2) }}{{ compact (list 0 1) }}{{ chunk 2 (list 1 2 3) }}{{ sortAlpha (list "b" "a") }}{{ mustAppend (list) 1 }}{{ mustUniq (list 1 1) }}`,
	"list of none":            `{{ append "a" 1 }}`,
	"sequences":               `{{ until 3 }}{{ until -3 }}{{ untilStep 1 10 4 }}{{ untilStep 5 1 -2 }}{{ untilStep 1 5 -1 }}{{ seq 3 }}|{{ seq -2 }}|{{ seq 1 2 7 }}|{{ seq 3 1 }}|{{ seq 5 -2 1 }}|{{ seq 5 2 1 }}|{{ seq }}|{{ seq 0 }}`,
	"texts":                   `{{ repeat 3 "ab" }}{{ indent 2 "a\nb" }}{{ nindent 2 "a\nb" }}{{ replace "a" "bb" "aca" }}{{ join "," (list 1 nil "a") }}{{ join "-" "x" }}{{ cat 1 "a" nil }}{{ quote 1 "a" nil }}{{ squote "a" }}{{ trunc 2 "abc" }}{{ trunc -2 "abc" }}{{ abbrev 5 "abcdefgh" }}{{ wrap 3 "a b c d" }}{{ wrapWith 3 "|" "abcdef" }}{{ toString 1.5 }}{{ toStrings (list 1 "a") }}{{ title "ab" }}{{ substr 1 2 "abc" }}{{ nospace "a b" }}{{ initials "A B" }}{{ snakecase "aB" }}{{ kebabcase "aB" }}{{ camelcase "a_b" }}{{ plural "a" "b" 2 }}`,
	"splitting":               `{{ splitList "," "a,b" }}{{ split "," "a,b" }}{{ (split "," "a,b")._1 }}{{ splitn "," 2 "a,b,c" }}{{ splitList "" "ab" }}`,
	"patterns":                `{{ regexMatch "^a+$" "aa" }}{{ regexFindAll "a" "aba" -1 }}{{ regexFind "b." "abc" }}{{ regexReplaceAll "(a)" "aba" "<$1>" }}{{ regexReplaceAllLiteral "a" "aba" "$1" }}{{ regexSplit "b" "abc" -1 }}{{ mustRegexMatch "a" "a" }}{{ mustRegexReplaceAll "a" "a" "b" }}{{ semverCompare ">=1.2" "1.3.0" }}{{ (semver "1.2.3").Minor }}`,
	"bad pattern":             `{{ mustRegexMatch "(" "a" }}`,
	"bad version":             `{{ semverCompare ">=1" "nonsense" }}`,
	"maps":                    `{{ $m := dict "a" 1 "b" (dict "c" 2) }}{{ $_ := set $m "x" "y" }}{{ $_ := unset $m "a" }}{{ $m }}{{ get $m "x" }}{{ hasKey $m "q" }}{{ pick $m "x" }}{{ omit $m "x" }}{{ pluck "x" $m }}{{ dig "b" "c" 0 $m }}{{ dict "a" }}{{ keys (dict "a" 1) }}{{ values (dict "a" 1) }}{{ deepCopy $m }}`,
	"merging":                 `{{ $a := dict "a" 1 "m" (dict "x" 1 "e" "") "z" "" "l" (list 1) "n" nil "k" "v" }}{{ $b := dict "a" 2 "m" (dict "x" 2 "y" 3 "e" "f") "z" "q" "l" (list 2) "n" 5 "k" (dict "o" 1) "f" false "j" nil }}{{ toJson (merge (deepCopy $a) $b) }}{{ toJson (mergeOverwrite (deepCopy $a) $b) }}{{ toJson (mustMerge (dict) $a $b) }}{{ toJson (mustMergeOverwrite (dict "m" "t" "l" "s" "a" nil) $a $b) }}{{ toJson (merge (dict "k" (dict)) $b) }}`,
	"defaults":                `{{ default 1 nil }}{{ default 1 "" }}{{ .Values.none | default "d" }}{{ coalesce nil "" 3 }}{{ ternary 1 2 true }}{{ empty 0 }}{{ all 1 0 }}{{ any 1 0 }}`,
	"kinds":                   `{{ kindOf .Values }} {{ typeOf .Values }} {{ kindIs "map" .Values }} {{ typeIs "string" "a" }} {{ kindOf nil }} {{ typeOf (list) }} {{ typeIsLike "int" 1 }} {{ deepEqual (list 1) (list 1) }}`,
	"numbers":                 `{{ add 1 2 3 }}{{ mul 2 3 }}{{ div 7 2 }}{{ mod 7 2 }}{{ max 1 3 }}{{ floor 1.5 }}{{ round 1.25 1 }}{{ int "5" }}{{ int64 "5" }}{{ float64 "1.5" }}{{ atoi "7" }}{{ addf 1.5 2 }}{{ toDecimal "777" }}{{ div 1 0 }}`,
	"hashes":                  `{{ sha1sum "a" }}{{ sha256sum "a" }}{{ sha512sum "a" }}{{ adler32sum "a" }}{{ b64enc "a" }}{{ b64dec "YQ==" }}{{ b32enc "a" }}{{ derivePassword 1 "long" "p" "u" "s" }}`,
	"dates":                   `{{ dateInZone "2006-01-02" (toDate "2006-01-02" "2026-01-02") "UTC" }}{{ unixEpoch (toDate "2006-01-02" "2026-01-02") }}{{ dateModify "1h" (toDate "2006-01-02" "2026-01-02") | htmlDateInZone }}`,
	"paths and urls":          `{{ base "a/b" }}{{ dir "a/b" }}{{ clean "a/../b" }}{{ ext "a.b" }}{{ isAbs "/a" }}{{ (urlParse "http://a/b").host }}{{ urlJoin (dict "host" "a" "scheme" "b") }}{{ getHostByName "localhost" }}`,
	"lookup":                  `{{ lookup "v1" "Secret" "a" "b" }}{{ if not (lookup "v1" "Secret" "a" "b") }}none{{ end }}`,
	"values methods":          `{{ .Values.YAML }}{{ (.Values.Table "deep").x }}{{ .Values.AsMap }}`,
	"value with a method":     `{{ .Values.Table "none" }}`,
	"too few arguments":       `{{ tpl "a" }}`,
	"not a function":          `{{ .Values.name "a" }}`,
	"comment":                 `{{/* none */}}{{- /* none */ -}} a`,
	"changes seen elsewhere":  `{{ $_ := set .Values "late" "x" }}{{ .Values.late }}`,
}

const cornerChart = header + `
dependencies: [{name: sub, version: 1.0.0}, {name: lib, version: 1.0.0}]
-- values.yaml --
name: n
deep: {x: 1}
-- a.txt --
one
two
-- dir/b.txt --
b
-- dir/c.yaml --
c
-- charts/sub/Chart.yaml --
{name: sub, version: 1.0.0}
-- charts/sub/values.yaml --
a: 1
-- charts/sub/templates/_x.tpl --
{{ define "sub.x" }}{{ .Chart.Name }} {{ .Values.a }} {{ .Chart.IsRoot }}{{ end }}
-- charts/lib/Chart.yaml --
{name: lib, version: 1.0.0, type: library}
-- charts/lib/templates/_x.tpl --
{{ define "lib.x" }}of lib in {{ .Chart.Name }}{{ end }}
-- charts/lib/templates/x.yaml --
{{ fail "a library has no objects" }}
-- templates/x.txt --
`

// Whatever Helm's engine makes of a template, ours makes too.
func TestCornersAsHelm(t *testing.T) {
	t.Parallel()
	for name, template := range corners {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			want, wantErr := filesByHelm(t, cornerChart+template)
			got, err := helm.Files(t.Context(), load(t, cornerChart+template), request)
			if (err != nil) != (wantErr != nil) {
				t.Fatalf("got error %v, Helm has %v", err, wantErr)
			}
			if err != nil {
				if theirs := helm.ReadTemplateError(wantErr).Error(); err.Error() != theirs {
					t.Errorf("\n got %v\nwant %v", err, theirs)
				}
				return
			}
			if !maps.Equal(got, want) {
				for _, file := range slices.Sorted(maps.Keys(want)) {
					t.Errorf("%s:\n got %q\nwant %q", file, got[file], want[file])
				}
			}
		})
	}
}

var request = helm.Request{ReleaseName: "r", Namespace: "ns"}

// filesByHelm returns what Helm's engine renders.
func filesByHelm(t *testing.T, text string) (map[string]string, error) {
	t.Helper()
	c, err := loader.LoadArchive(bytes.NewReader(pack(t, files(text), "top")))
	if err != nil {
		t.Fatal(err)
	}
	caps := chartutil.DefaultCapabilities.Copy()
	caps.KubeVersion = chartutil.KubeVersion{Version: helm.DefaultKubeVersion, Major: "1", Minor: "37"}
	if err := chartutil.ProcessDependenciesWithMerge(c, map[string]any{}); err != nil {
		t.Fatal(err)
	}
	options := chartutil.ReleaseOptions{Name: "r", Namespace: "ns", Revision: 1, IsInstall: true}
	values, err := chartutil.ToRenderValuesWithSchemaValidation(c, map[string]any{}, options, caps, true)
	if err != nil {
		t.Fatal(err)
	}
	rendered, err := engine.Render(c, values)
	for name := range rendered {
		if strings.HasSuffix(name, "NOTES.txt") {
			delete(rendered, name)
		}
	}
	return rendered, err
}

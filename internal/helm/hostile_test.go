package helm_test

import (
	"context"
	"errors"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/strata-go/strata/internal/helm"
)

// Templates that would run for ever, eat the memory or end the process, and the
// limit that ends them.
var hostile = map[string]struct{ template, limit string }{
	"tpl of itself":           {`{{ $_ := set . "t" "{{ tpl .t . }}" }}{{ tpl .t . }}`, "depth"},
	"tpl of a growing text":   {`{{ $_ := set . "t" "{{ $_ := set . \"t\" (print .t .t) }}{{ tpl .t . }}" }}{{ tpl .t . }}`, ""},
	"includes in turn":        {`{{ define "a" }}{{ template "b" . }}{{ end }}{{ define "b" }}{{ include "c" . }}{{ end }}{{ define "c" }}{{ template "a" . }}{{ end }}{{ include "a" . }}`, ""},
	"template of itself":      {`{{ define "a" }}{{ template "a" . }}{{ end }}{{ template "a" . }}`, "depth"},
	"empty loop":              {`{{ range 9223372036854775807 }}{{ end }}`, "steps"},
	"loops in loops":          {`{{ range until 10000 }}{{ range until 10000 }}{{ end }}{{ end }}`, "steps"},
	"forking":                 {`{{ define "f" }}{{ if gt . 0 }}{{ template "f" (sub . 1) }}{{ template "f" (sub . 1) }}{{ end }}{{ end }}{{ template "f" 60 }}`, "steps"},
	"doubling":                {`{{ $s := "xx" }}{{ range until 60 }}{{ $s = printf "%s%s" $s $s }}{{ end }}`, "text"},
	"doubling by cat":         {`{{ $s := "xx" }}{{ range until 60 }}{{ $s = cat $s $s }}{{ end }}`, "text"},
	"doubling by join":        {`{{ $s := "xx" }}{{ range until 60 }}{{ $s = join $s (list $s $s) }}{{ end }}`, "text"},
	"doubling by replace":     {`{{ $s := "xx" }}{{ range until 60 }}{{ $s = replace "x" $s $s }}{{ end }}`, "text"},
	"doubling by quote":       {`{{ $s := "\"" }}{{ range until 60 }}{{ $s = quote $s $s }}{{ end }}`, "text"},
	"doubling by include":     {`{{ define "d" }}{{ . }}{{ . }}{{ end }}{{ $s := "xx" }}{{ range until 60 }}{{ $s = include "d" $s }}{{ end }}`, "text"},
	"doubling by concat":      {`{{ $l := list 1 }}{{ range until 60 }}{{ $l = concat $l $l }}{{ end }}`, "text"},
	"indent":                  {`{{ indent 2000000000 "a" }}`, "text"},
	"indent of lines":         {`{{ indent 1000000 (repeat 1000 "\n") }}`, "text"},
	"repeat":                  {`{{ repeat 2000000000 "x" }}`, "text"},
	"repeat overflowing":      {`{{ repeat 9223372036854775807 "xxxx" }}`, "text"},
	"until":                   {`{{ until 2000000000 }}`, "text"},
	"until without an end":    {`{{ untilStep 9223372036854775800 9223372036854775807 10 }}`, "text"},
	"seq":                     {`{{ seq 0 1 1000000000 }}`, "text"},
	"printf wide":             {`{{ printf (repeat 200000 "%999999d") 1 }}`, "text"},
	"printf wide by argument": {`{{ printf (repeat 200000 "%*d") 999999 1 }}`, "text"},
	"random":                  {`{{ randAlphaNum 2000000000 }}`, "random characters"},
	"random bytes":            {`{{ randBytes 2000000000 }}`, "random characters"},
	"keys":                    {`{{ range until 1000 }}{{ $_ := genPrivateKey "nonsense" }}{{ end }}`, "steps"},
	"bcrypt":                  {`{{ range until 10000 }}{{ $_ := derivePassword 1 "long" "a" "b" "c" }}{{ end }}`, ""},
	"hoarding":                {`{{ $l := list }}{{ $s := repeat 1000000 "x" }}{{ range 1000000 }}{{ $l = append $l (upper $s) }}{{ end }}`, "memory"},
	"hoarding files":          {`{{ $l := list }}{{ range 10000000 }}{{ $l = append $l ($.Files.Get "big.txt") }}{{ end }}`, "memory"},
	"printing for ever":       {`{{ range 1000000 }}{{ repeat 1000 "x" }}{{ end }}`, "text"},
	"map in itself":           {`{{ $d := dict }}{{ $_ := set $d "d" $d }}{{ $d }}`, "depth"},
	"map in itself, toYaml":   {`{{ $d := dict }}{{ $_ := set $d "d" $d }}{{ toYaml $d }}`, "depth"},
	"map in itself, pretty":   {`{{ $d := dict }}{{ $_ := set $d "d" $d }}{{ toYamlPretty $d }}`, "depth"},
	"map in itself, toToml":   {`{{ $d := dict }}{{ $_ := set $d "d" $d }}{{ toToml $d }}`, "depth"},
	"map in itself, printf":   {`{{ $d := dict }}{{ $_ := set $d "d" $d }}{{ printf "%v" $d }}`, "depth"},
	"map in itself, quote":    {`{{ $d := dict }}{{ $_ := set $d "d" $d }}{{ quote (list $d) }}`, "depth"},
	"map in itself, key":      {`{{ $d := dict }}{{ $_ := set $d "d" $d }}{{ dict $d 1 }}`, "depth"},
	"map in itself, copy":     {`{{ $d := dict }}{{ $_ := set $d "d" $d }}{{ $_ := deepCopy $d }}`, "depth"},
	"map in itself, merge":    {`{{ $d := dict }}{{ $_ := set $d "d" $d }}{{ $e := dict }}{{ $_ := set $e "d" $e }}{{ $_ := merge $d $e }}`, "depth"},
	"map in itself, json":     {`{{ $d := dict }}{{ $_ := set $d "d" $d }}{{ toRawJson $d }}{{ mustToPrettyJson $d }}`, "depth"},
	"map in itself, join":     {`{{ $d := dict }}{{ $_ := set $d "d" $d }}{{ join "," (list $d) }}`, "depth"},
	"map in itself, hashed":   {`{{ $d := dict }}{{ $_ := set $d "d" $d }}{{ genCAWithKey "x" 1 (toString $d) }}`, "depth"},
	"map in itself, cert":     {`{{ $d := dict }}{{ $_ := set $d "d" $d }}{{ genSelfSignedCert "x" (list $d) (list) 1 }}`, "depth"},
	"map in itself, sorted":   {`{{ $d := dict }}{{ $_ := set $d "d" $d }}{{ sortAlpha (list $d) }}`, "depth"},
	"map in itself, compared": {`{{ $d := dict }}{{ $_ := set $d "d" $d }}{{ range 100000000 }}{{ $_ := deepEqual $d $d }}{{ end }}`, ""},
	"map in itself, YAML":     {`{{ $_ := set .Values "d" .Values }}{{ .Values.YAML }}`, ""},
	"a thousand laughs":       {`{{ $d := dict "a" "ha" }}{{ range until 60 }}{{ $d = dict "a" $d "b" $d }}{{ end }}{{ toYaml $d }}`, "text"},
	"a thousand laughs, YAML": {`{{ $d := dict "a" "ha" }}{{ range until 60 }}{{ $d = dict "a" $d "b" $d }}{{ end }}{{ $_ := set .Values "d" $d }}{{ .Values.YAML }}`, "text"},
	"laughs in YAML":          {`{{ $s := "a0: &a0 [1,1,1,1,1,1,1,1,1]\n" }}{{ range until 12 }}{{ $s = printf "%sa%d: &a%d [%s]\n" $s (add1 .) (add1 .) (repeat 9 (printf "*a%d," .)) }}{{ end }}{{ toYaml (fromYaml $s) }}{{ range 1000000000 }}{{ end }}`, "steps"},
	"deep YAML":               {`{{ fromYaml (repeat 20000 "[") }}{{ fromJson (repeat 20000 "[") }}{{ fromToml (print "a=" (repeat 20000 "[")) }}`, "depth"},
	"deep blocks":             {`{{ tpl (print (repeat 2000 "{{ if 1 }}") (repeat 2000 "{{ end }}")) . }}`, "depth"},
	"deep else":               {`{{ tpl (print "{{ if 1 }}" (repeat 2000 "{{ else if 1 }}") "{{ end }}") . }}`, "depth"},
	"deep parentheses":        {`{{ tpl (print "{{ " (repeat 1000000 "(") "1" (repeat 1000000 ")") " }}") . }}`, ""},
	"many arguments":          {`{{ tpl (print "{{ list " (repeat 20000 "1 ") "}}") . }}`, "arguments"},
	"dear pattern":            {`{{ regexMatch "(x{0,30}){0,30}y" (repeat 3000000 "x") }}`, "pattern"},
	"pattern again and again": {`{{ $s := repeat 100000 "x" }}{{ range 100000000 }}{{ $_ := regexMatch "(x+x+)+y" $s }}{{ end }}`, ""},
	"pattern that makes":      {`{{ regexReplaceAll "" (repeat 1000000 "x") (repeat 1000000 "y") }}`, "text"},
	"equal to each":           {`{{ $l := until 100000 }}{{ range until 1000 }}{{ $_ := uniq $l }}{{ end }}`, "steps"},
	"hash of much":            {`{{ $s := repeat 3000000 "x" }}{{ range 1000000 }}{{ $_ := sha256sum $s }}{{ end }}`, "steps"},
	"split":                   {`{{ $_ := split "" (repeat 30000000 "x") }}`, "text"},
	"parsing again and again": {`{{ $t := repeat 1000000 "x" }}{{ range $i := until 1000 }}{{ $_ := tpl (print $i $t) $ }}{{ end }}`, ""},
}

// few limits end them sooner than the defaults, which bound the same.
var few = helm.Limits{Steps: 50_000, Memory: 32 << 20}

func TestHostileTemplates(t *testing.T) {
	t.Parallel()
	for name, tt := range hostile {
		t.Run(name, func(t *testing.T) {
			c := load(t, header+"-- big.txt --\n"+strings.Repeat("x", 100_000)+"\n-- templates/x.yaml --\n"+tt.template)
			_, err := c.Render(t.Context(), helm.Request{ReleaseName: "r", Limits: few})
			if err == nil {
				t.Fatal("it is rendered")
			}
			var limit *helm.LimitError
			if tt.limit != "" && (!errors.As(err, &limit) || limit.What != tt.limit) {
				t.Errorf("got %.300v, want the limit of %s", err, tt.limit)
			}
			if !strings.Contains(err.Error(), "bad/templates/x.yaml") && !strings.Contains(err.Error(), "gotpl") {
				t.Errorf("%.300v names no template", err)
			}
			var stats runtime.MemStats
			if runtime.ReadMemStats(&stats); stats.Sys > 3<<30 {
				t.Errorf("the process has %d MiB", stats.Sys>>20)
			}
		})
	}
}

// The end of the context ends a template wherever it is.
func TestTemplatesObeyContext(t *testing.T) {
	t.Parallel()
	for name, template := range map[string]string{
		"loop":     `{{ range 9223372036854775807 }}{{ end }}`,
		"calls":    `{{ range until 1000000 }}{{ $_ := sha256sum (toString .) }}{{ end }}`,
		"includes": `{{ define "f" }}{{ if gt . 0 }}{{ include "f" (sub . 1) }}{{ include "f" (sub . 1) }}{{ end }}{{ end }}{{ include "f" 60 }}`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
			defer cancel()
			c := load(t, header+"-- templates/x.yaml --\n"+template)
			_, err := c.Render(ctx, helm.Request{ReleaseName: "r", Limits: helm.Limits{Steps: 1 << 50, Memory: 1 << 40}})
			if !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("got %v", err)
			}
		})
	}
}

// A limit that is raised lets through what it ends otherwise.
func TestLimits(t *testing.T) {
	t.Parallel()
	c := load(t, header+"-- templates/x.yaml --\n{{ range 1000 }}{{ end }}{{ $_ := repeat 1000 \"x\" }}\n")
	for limits, what := range map[helm.Limits]string{
		{}: "", {Steps: 500}: "steps", {Steps: 5000}: "", {Memory: 1600}: "text", {Memory: 80000}: "",
	} {
		_, err := c.Render(t.Context(), helm.Request{ReleaseName: "r", Limits: limits})
		limit, ok := errors.AsType[*helm.LimitError](err)
		if ok != (what != "") || ok && limit.What != what {
			t.Errorf("%+v: got %v, want %q", limits, err, what)
		}
	}
}

// Whatever a template says, rendering ends, and soon.
func FuzzTemplate(f *testing.F) {
	for _, template := range corners {
		f.Add(template)
	}
	for _, name := range []string{"tpl of itself", "map in itself, merge", "deep blocks", "dear pattern"} {
		f.Add(hostile[name].template)
	}
	f.Fuzz(func(t *testing.T, template string) {
		fsys := files(header)
		fsys["templates/x.yaml"] = files("-- x --\n")["x"]
		fsys["templates/x.yaml"].Data = []byte(template)
		c, err := helm.LoadChart(fsys)
		if err != nil {
			return
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		_, err = helm.Files(ctx, c, helm.Request{ReleaseName: "r", Limits: few})
		if errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("goes on for a minute: %v", err)
		}
	})
}

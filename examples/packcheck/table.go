package main

import (
	"cmp"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/strata-go/strata/pack"
	"github.com/strata-go/strata/pack/packlint"
)

// table prints a table for people: what a pack renders to, then its problems.
type table struct{ out io.Writer }

func (t *table) print(folder string, r *packlint.Report) error {
	verdict := "ok"
	if !r.OK() {
		verdict = "NOT OK"
	}
	fmt.Fprintf(t.out, "%s: %s%s\n", folder, verdict, count(r.Problems))
	w := tabwriter.NewWriter(t.out, 0, 0, 2, ' ', 0)
	for _, c := range r.Charts {
		fmt.Fprintf(w, "  chart\t%s\t%s in %s\t%s\n", cmp.Or(c.Name, c.File), cmp.Or(c.Release, "-"), cmp.Or(c.Namespace, "-"),
			content(c.Err, len(c.Objects), c.Hooks, c.CRDs))
	}
	for _, m := range r.Manifests {
		fmt.Fprintf(w, "  manifest\t%s\t\t%s\n", m.File, content(m.Err, len(m.Objects), 0, 0))
	}
	for _, p := range r.Problems {
		fmt.Fprintf(w, "  %s\n", p)
	}
	fmt.Fprintln(w)
	return w.Flush()
}

func content(err error, objects, hooks, crds int) string {
	if err != nil {
		return "not rendered"
	}
	text := fmt.Sprintf("%d objects", objects)
	if hooks > 0 {
		text += fmt.Sprintf(", %d hooks", hooks)
	}
	if crds > 0 {
		text += fmt.Sprintf(", %d in crds", crds)
	}
	return text
}

func count(problems []pack.Problem) string {
	counts := map[pack.Severity]int{}
	for _, p := range problems {
		counts[p.Severity]++
	}
	var text strings.Builder
	for _, s := range []pack.Severity{pack.SeverityError, pack.SeverityWarning, pack.SeverityInfo} {
		if counts[s] > 0 {
			fmt.Fprintf(&text, ", %d %s", counts[s], s)
		}
	}
	return text.String()
}

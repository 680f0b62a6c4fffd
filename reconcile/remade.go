package reconcile

import (
	"fmt"
	"strings"
)

// warnOfRemade warns of secrets that adopting a release changes, where its
// templates make values: what the manifest that Helm kept does not show is made
// anew.
func (l *layerWork) warnOfRemade() {
	if l.output == nil || len(l.output.Past.Values) == 0 {
		return
	}
	for _, w := range l.objects {
		if w.action != Adopt || w.ref.Kind != "Secret" {
			continue
		}
		var fields []string
		for _, c := range w.changes {
			if !strings.HasPrefix(c.Field, ".metadata.") {
				fields = append(fields, c.Field)
			}
		}
		if len(fields) > 0 {
			w.warnings = append(w.warnings, fmt.Sprintf("%s: adopting it changes %s, and templates of the layer make passwords or certificates anew; give what is there as values of the chart to keep it", w.ref, strings.Join(fields, ", ")))
		}
	}
}

package packlint

import (
	"context"
	"strings"

	"github.com/strata-go/strata/internal/helm"
	"github.com/strata-go/strata/internal/macro"
)

// unknown is the value of macros that nobody gives one.
const unknown = "x"

// A binder binds the macros of a pack.
type binder struct {
	ctx context.Context // of the call of Check that the binder lives in
	Options
}

func (b binder) bind(doc []byte) ([]byte, error) {
	return macro.Bind(doc, b.lookup)
}

func (b binder) lookup(m macro.Macro) (string, error) {
	value, given := b.Macros[m.Path]
	if !given && strings.HasSuffix(m.Path, ".kubernetes.version") {
		value, given = b.KubeVersion, true
	}
	if !given {
		return unknown, nil
	}
	if m.Pipeline == "" {
		return value, nil
	}
	t := helm.Template{
		Name:   "macro",
		Text:   "{{ .Values.value | " + m.Pipeline + " }}",
		Values: map[string]any{"value": value},
	}
	text, _, err := t.Execute(b.ctx)
	return text, err
}

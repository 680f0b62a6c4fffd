package render

import (
	"fmt"
	"strings"

	"github.com/strata-go/strata/layer"
)

// An Error says what part of a layer cannot be rendered; the caller knows which
// layer. The cause names the chart, the template or the document, and the line.
type Error struct {
	Pack string // "" if the layer is no pack
	File string // path in the content; "" if it is none
	Err  error
}

// Error returns "pack name: file: problem".
func (e *Error) Error() string {
	var b strings.Builder
	if e.Pack != "" {
		b.WriteString("pack " + e.Pack + ": ")
	}
	if e.File != "" {
		b.WriteString(e.File + ": ")
	}
	b.WriteString(e.Err.Error())
	return b.String()
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// An UnsupportedError says that there is no renderer for the source of a
// layer. It is wrapped in an [*Error].
type UnsupportedError struct {
	Format layer.Format // "" if the layer has no source
}

// Error says which format it is.
func (e *UnsupportedError) Error() string {
	if e.Format == "" {
		return "has no source"
	}
	return fmt.Sprintf("sources of format %q are not supported yet", e.Format)
}

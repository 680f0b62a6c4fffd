// Package macro finds and binds Palette's macros, {{ .spectro.var.name }} and
// its relatives, in YAML documents.
//
// Only expressions that begin with a path below ".spectro.", or with a function
// whose last argument is one, are macros: other {{ }} belong to somebody else
// (Prometheus rules, Helm templates) and are left alone. Macros are found by a
// scanner of our own, not by text/template, as their paths hold hyphens.
//
// Values go through pipelines of functions that have the names and arguments of
// sprig: {{ .spectro.macro.region | default "eu" | upper }}. Palette takes them
// for macros, but not for profile variables; here they are the same for all.
//
// Binding works on data, not on text. Each macro is replaced by an opaque
// token, the YAML is parsed, and the scalars that hold tokens are found in the
// text. A value is written there as the style of its scalar needs it; where the
// style cannot hold it, that scalar is written anew in double quotes. So nothing
// that a value holds can change the structure of the document around it, and
// nothing else in the document changes by a byte.
package macro

// Package macro finds and binds Palette's macros, {{ .spectro.var.name }} and
// its relatives, in YAML documents.
//
// Only expressions whose first word begins with ".spectro." are macros: other
// {{ }} belong to somebody else (Prometheus rules, Helm templates) and are left
// alone. Macros are found by a scanner of our own, not by text/template, as
// their paths hold hyphens.
//
// Binding works on data, not on text. Each macro is replaced by an opaque
// token, the YAML is parsed, and the tokens are replaced inside scalars, which
// are then written as YAML needs it. So nothing that a value holds can change
// the structure of the document around it.
package macro

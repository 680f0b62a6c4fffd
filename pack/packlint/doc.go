// Package packlint checks packs by rendering them: all that [pack.Check] finds,
// and what shows only in the objects that charts and manifests give.
//
// It compiles Helm, which package pack does not. It renders offline: templates
// see no cluster, and nothing is fetched.
package packlint

// Package layer describes one layer of the stack of a Kubernetes cluster:
// which part of the stack it provides, and where its content comes from.
//
// A [Layer] is what a profile says: a name, a [Kind], a [Source] and how to
// install it. A [Ref] names the content of a source, which may exist in many
// versions; a [Pin] is a Ref resolved to one of them, by digest, and never
// changes its meaning.
//
// The package holds values only: it reads no files and opens no connections.
// Every other package of this module may import it; it imports none of them.
package layer

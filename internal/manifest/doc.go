// Package manifest reads YAML streams into Kubernetes objects, and orders
// objects as Kubernetes needs them.
//
// [Parse] decodes by the rules of Kubernetes itself (YAML 1.1 scalars, whole
// numbers as int64), and reports everything that is wrong with a stream at
// once. [Order] sorts objects into batches: namespaces first, webhooks last.
//
// Nothing here reads files or changes what it is given. All functions may be
// called from many goroutines.
package manifest

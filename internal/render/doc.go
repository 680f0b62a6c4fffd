// Package render turns the content of a layer into Kubernetes objects.
//
// Whatever a layer's source is (a pack, a chart, manifests), [Layer] gives the
// same: objects in the order in which the source lists them, the Helm releases
// they belong to, and the namespaces that must be there. What comes after
// knows nothing of sources.
//
// Rendering is offline: it reads the content that it is given, and nothing else.
package render

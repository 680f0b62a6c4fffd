// Package helm reads and renders Helm charts, and keeps Helm's release records.
//
// It is the only package of this module that imports Helm, and no type of Helm
// stands in its exported names: a new major version of Helm is a change to
// this folder. It takes the loader and the values logic from Helm, and none of
// its actions: it talks to no cluster and no registry.
//
// Templates are rendered by an engine of our own on text/template and sprig, to
// the same text as by Helm's. They get no network, no environment and no files
// but the chart's own; what they use is bounded, and ends with the context; and
// what is another result each time is kept, and given again. A values schema is checked without fetching what it
// refers to.
package helm

// Package helm reads and renders Helm charts, and keeps Helm's release records.
//
// It is the only package of this module that imports Helm, and no type of Helm
// stands in its exported names: a new major version of Helm is a change to
// this folder. It takes the loader, the values logic and the template engine
// from Helm, and none of its actions: it talks to no cluster and no registry.
//
// Templates get no network, no environment and no files but the chart's own;
// "lookup" finds nothing. A values schema is checked without fetching what it
// refers to.
package helm

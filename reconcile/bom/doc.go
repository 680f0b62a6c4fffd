// Package bom makes a bill of materials, in the format of CycloneDX, of what is
// on a cluster: profiles, the packages of their layers, charts and container
// images. It stands apart from package reconcile so that only those who want one
// compile the library for it.
package bom

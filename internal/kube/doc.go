// Package kube is the one way in which the engine talks to a Kubernetes API
// server: discovery, reading, server-side apply, deletion and watches, each
// request counted.
package kube

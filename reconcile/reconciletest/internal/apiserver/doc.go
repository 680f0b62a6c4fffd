// Package apiserver answers as kube-apiserver does, in memory and without a
// socket. What merging, ownership, patches, selectors and schemas mean comes from
// Kubernetes' own libraries; this package only brings them together.
package apiserver

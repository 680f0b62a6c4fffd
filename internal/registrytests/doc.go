// Package registrytests holds no code. Its tests run package registry against
// the registries and clients of other people: distribution, Debian's old
// docker-registry, helm and oras. It is a Go module of its own, so that nobody
// who imports Strata gets what those are made of into their go.mod.
package registrytests

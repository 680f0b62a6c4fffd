// Package helmtests holds no code. Its tests run charts with the actions of
// Helm's own SDK, and with the engine, and compare what becomes of the hooks. It
// is a Go module of its own, so that nobody who imports Strata gets what those
// actions are made of into their go.mod.
package helmtests

// Package browsertests holds no code. Its tests look at the pages of Strata in a
// real browser, chromium without a window. It is a Go module of its own, so that
// nobody who imports Strata gets what drives browsers into their go.mod.
package browsertests

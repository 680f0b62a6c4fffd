// Package statuspage is a small web page of targets: a list of them with their
// health, and for each the stack as a picture, its layers with versions, images,
// releases, conditions and endpoints, drift with who and when, newer versions,
// and progress as it happens.
//
//	var page statuspage.Handler
//	page.Show(targets...)
//	r := &reconcile.Reconciler{OnEvent: page.OnEvent}
//	mux.Handle("/status/", http.StripPrefix("/status", &page))
//
// It is plain HTML with server-sent events: nothing is built, nothing comes from
// elsewhere, and a strict content security policy holds it to that. Without
// JavaScript it reloads itself. It only reads, and shows nothing sensitive:
// statuses and events hold nothing that is. Who may see it is for the embedder
// to say: put what authenticates in front of it.
package statuspage

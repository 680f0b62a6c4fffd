// Package registry finds, fetches and pushes the content of layers: packs and
// Helm charts in OCI registries.
//
// A [Client] resolves a reference to a pin, once; from then on everything goes
// by the digest in the pin. [Client.Fetch] returns only bytes that match it,
// from a cache on disk if they are there.
//
// # Where content is
//
// In a registry "oci://host/base" a pack is at base/spectro-packs/archive/NAME,
// as in Palette, and a chart at base/NAME, as helm push puts it. Tags are
// versions, with "_" for "+". A pack that was pushed with plain oras push is
// read too: what counts is one layer that is a tar file, compressed with gzip
// or not.
//
// # Versions
//
// A version is a constraint ("~1.2", ">=1 <3"), a train ("1.x", "1.27.x"), or a
// tag word for word, which wins over what it would mean as a constraint: "24.04"
// is the tag 24.04 if there is one, else the newest of 24.04.1, 24.04.2, ...
// Pre-releases are taken only if the constraint names one.
//
// # Trust
//
// Content is verified before it is parsed, and everything read is bounded.
// Credentials go to the host that they are for and stay out of URLs, errors
// and logs. Plain HTTP is spoken only with hosts that [Client.PlainHTTP] lists.
package registry

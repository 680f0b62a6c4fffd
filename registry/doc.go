// Package registry finds, fetches and pushes the content of layers: packs, Helm
// charts, Zarf packages and profiles in OCI registries, and what of these is in
// classic Helm repositories and in folders on disk.
//
// A [Client] resolves a reference to a pin, once; from then on everything goes
// by the digest in the pin. [Client.Fetch] returns only bytes that match it,
// from a cache on disk if they are there.
//
// # Where content is
//
// In a registry "oci://host/base" a pack is at base/spectro-packs/archive/NAME,
// as in Palette, and a chart at base/NAME, as helm push puts it; a Zarf package
// is there too. A profile is at base/strata-profiles/NAME. Tags are versions,
// with "_" for "+". A pack that was pushed with plain oras push is read too: what
// counts is one layer that is a tar file, compressed with gzip or not.
//
// [Registry] says what else can be a registry. In a classic Helm repository, and
// for a packaged chart in a folder, the digest of a pin is that of the .tgz file;
// for a subfolder it is that of the archive that a push would make of it.
//
// A reference that names no registry is looked for in all of them, and found in
// one. [Client.Mirrors] changes where content is asked for, but not what it is
// called.
//
// # Versions
//
// A version is a constraint ("~1.2", ">=1 <3"), a train ("1.x", "1.27.x"), or a
// tag word for word, which wins over what it would mean as a constraint: "24.04"
// is the tag 24.04 if there is one, else the newest of 24.04.1, 24.04.2, ...
// Pre-releases are taken only if the constraint names one. Of a group, as
// PushPack tags it, "LTS__22.4.x" is the train. The strategy of a reference says
// which of several versions is taken; a digest at its end ("1.2.3@sha256:...")
// says what that version has to be.
//
// # Trust
//
// Content is verified before it is parsed, and everything read is bounded.
// Credentials go to the host that they are for and stay out of URLs, errors
// and logs. Plain HTTP is spoken only with hosts that [Client.PlainHTTP] lists.
//
// A [Verifier] decides, by digest, whether an artifact is signed as it should
// be, before anything of it is kept or parsed. Packages registry/cosign and
// registry/notation have one each.
//
// # Cache and air gap
//
// What was fetched stays in a folder that processes share: one of them
// downloads what all of them want, damage is noticed at the next reading and
// repaired, and what was not used for longest goes first. With a warm cache
// [Client.Fetch] makes no request, with a [Verifier] neither.
//
// [Client.Export] writes the content of a lock to an OCI image layout, and
// [Client.Import] brings that into another registry, where pins keep their
// original names by way of [Client.Mirrors].
package registry

// Package cosign verifies signatures that cosign made with a key.
//
// A signature is looked for under the tag "sha256-<hex>.sig" of the artifact's
// repository, where cosign puts it by default up to version 2, and then among
// the artifact's referrers. What is signed is the "simple signing" payload of
// cosign's signature specification:
// https://github.com/sigstore/cosign/blob/main/specs/SIGNATURE_SPEC.md.
//
// Signatures without a key (certificates of Fulcio, the log Rekor) and sigstore
// bundles, which cosign 3 makes unless told otherwise, are not read: sign with
// "cosign sign --key ... --new-bundle-format=false".
package cosign

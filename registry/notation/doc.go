// Package notation verifies signatures of the Notary Project, as the command
// notation makes them.
//
// It is a module of its own, so that programs that do not use it do not have
// the Notary Project's dependencies (LDAP names, COSE, JWT, time stamps) in
// their module graph.
//
// Signatures are found by the referrers API, or by its tag in registries
// without it. What is checked is what notation's verification level "strict"
// checks, see
// https://github.com/notaryproject/specifications/blob/main/specs/trust-store-trust-policy.md:
// the signature itself, that its certificates lead to one that is trusted, that
// they and the signature are not expired, and that they are not revoked where
// they name a service that knows.
package notation

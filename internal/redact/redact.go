// Package redact keeps secrets out of what people read.
package redact

import (
	"cmp"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"slices"
	"strings"
)

// shortest is the length of the shortest text that is taken for a secret: a
// shorter one is found in every other word, and hides nothing.
const shortest = 3

// A Redactor replaces known secrets in texts by a keyed hash, so that two
// places that hold the same secret can be told from two that do not. The key is
// made anew for each Redactor. The zero Redactor knows no secrets.
// It is safe for concurrent use.
type Redactor struct {
	replacer *strings.Replacer
}

// New returns a Redactor of secrets and of their base64 forms.
func New(secrets []string) Redactor {
	key := make([]byte, 32)
	_, _ = rand.Read(key) // never fails, see crypto/rand
	// The longest goes first, as a secret may hold another one.
	secrets = slices.Clone(secrets)
	slices.SortFunc(secrets, func(a, b string) int { return cmp.Compare(len(b), len(a)) })
	var pairs []string
	for _, s := range slices.Compact(secrets) {
		if len(s) < shortest {
			continue
		}
		mac := hmac.New(sha256.New, key)
		mac.Write([]byte(s))
		mark := "(sensitive " + hex.EncodeToString(mac.Sum(nil)[:4]) + ")"
		pairs = append(pairs, s, mark, base64.StdEncoding.EncodeToString([]byte(s)), mark)
	}
	if pairs == nil {
		return Redactor{}
	}
	return Redactor{strings.NewReplacer(pairs...)}
}

// String returns s without the secrets.
func (r Redactor) String(s string) string {
	if r.replacer == nil {
		return s
	}
	return r.replacer.Replace(s)
}

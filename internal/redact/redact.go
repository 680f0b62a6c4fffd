// Package redact keeps secrets out of what people read.
package redact

import (
	"cmp"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"
	"sync"
)

// shortest is the length of the shortest text that is taken for a secret: a
// shorter one is found in every other word, and hides nothing.
const shortest = 3

// A Redactor replaces known secrets in texts by a keyed hash, so that two
// places that hold the same secret can be told from two that do not. The key is
// made anew for each Redactor. The zero Redactor knows no secrets, and learns
// none. It is safe for concurrent use, and copies share what they learn.
type Redactor struct{ *secrets }

type secrets struct {
	key []byte

	mu       sync.Mutex
	forms    map[string]string // what to replace, by what
	replacer *strings.Replacer // nil if a form came since
}

// New returns a Redactor of secrets and of the forms that they take in YAML,
// JSON, URLs and base64, there also inside of longer texts.
func New(known []string) Redactor {
	s := &secrets{key: make([]byte, 32), forms: map[string]string{}}
	_, _ = rand.Read(s.key) // never fails, see crypto/rand
	r := Redactor{s}
	for _, secret := range known {
		r.Add(secret)
	}
	return r
}

// Add makes a secret known, such as a text that was made of another one.
func (r Redactor) Add(secret string) {
	if r.secrets == nil || len(secret) < shortest {
		return
	}
	mac := hmac.New(sha256.New, r.key)
	mac.Write([]byte(secret))
	mark := "(sensitive " + hex.EncodeToString(mac.Sum(nil)[:4]) + ")"
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.forms[secret] == mark {
		return
	}
	for _, form := range forms(secret) {
		if _, known := r.forms[form]; !known || form == secret {
			r.forms[form] = mark
		}
	}
	r.replacer = nil
}

// String returns s without the secrets.
func (r Redactor) String(s string) string {
	if r.secrets == nil {
		return s
	}
	return r.current().Replace(s)
}

// current returns the replacer of all forms.
func (r Redactor) current() *strings.Replacer {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.replacer == nil {
		list := make([]string, 0, len(r.forms))
		for form := range r.forms {
			list = append(list, form)
		}
		// The longest goes first, as a secret may hold another one.
		slices.SortFunc(list, func(a, b string) int { return cmp.Or(cmp.Compare(len(b), len(a)), cmp.Compare(a, b)) })
		pairs := make([]string, 0, 2*len(list))
		for _, form := range list {
			pairs = append(pairs, form, r.forms[form])
		}
		r.replacer = strings.NewReplacer(pairs...)
	}
	return r.replacer
}

package registrytest

import (
	"crypto/rand"
	"crypto/subtle"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"
)

const tokenPath = "/token"

// login asks for what the options want before next is served.
func (s *Server) login(next http.Handler) http.Handler {
	switch {
	case s.options.Token:
		return &tokens{server: s, next: next}
	case s.options.User != "":
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if !s.knows(r) {
				challenge(w, `Basic realm="registrytest"`)
				return
			}
			next.ServeHTTP(w, r)
		})
	}
	return next
}

// knows reports whether a request has the user and the password.
func (s *Server) knows(r *http.Request) bool {
	user, password, ok := r.BasicAuth()
	want := s.options
	return ok && subtle.ConstantTimeCompare([]byte(user+"\x00"+password), []byte(want.User+"\x00"+want.Password)) == 1
}

func challenge(w http.ResponseWriter, text string) {
	w.Header().Set("WWW-Authenticate", text)
	w.WriteHeader(http.StatusUnauthorized)
}

// Tokens gives and takes bearer tokens, see
// https://distribution.github.io/distribution/spec/auth/token/. A token is good
// for the scope that it was given for.
type tokens struct {
	server *Server
	next   http.Handler
	given  sync.Map // token to scope
}

func (t *tokens) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == tokenPath {
		t.give(w, r)
		return
	}
	want := scope(r)
	token, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if given, ok := t.given.Load(token); !ok || !covers(given.([]string), want) {
		challenge(w, fmt.Sprintf(`Bearer realm="%s%s",service="registrytest",scope="%s"`, t.server.web(), tokenPath, want))
		return
	}
	t.next.ServeHTTP(w, r)
}

func (t *tokens) give(w http.ResponseWriter, r *http.Request) {
	if t.server.options.User != "" && !t.server.knows(r) {
		challenge(w, `Basic realm="registrytest"`)
		return
	}
	token := rand.Text()
	t.given.Store(token, r.URL.Query()["scope"])
	_ = json.NewEncoder(w).Encode(map[string]string{"token": token})
}

// scope returns what a request needs, "repository:name:pull" for instance.
func scope(r *http.Request) string {
	path, ok := strings.CutPrefix(r.URL.Path, "/v2/")
	if !ok || path == "" {
		return ""
	}
	for _, kind := range []string{"/manifests/", "/blobs/", "/tags/", "/referrers/"} {
		if i := strings.LastIndex(path, kind); i >= 0 {
			path = path[:i]
		}
	}
	if r.Method == http.MethodGet || r.Method == http.MethodHead {
		return "repository:" + path + ":pull"
	}
	return "repository:" + path + ":pull,push"
}

// covers reports whether the scopes that a token has hold the one wanted.
func covers(given []string, want string) bool {
	if want == "" {
		return true
	}
	cut := strings.LastIndex(want, ":")
	name, actions := want[:cut+1], strings.Split(want[cut+1:], ",")
	for _, scopes := range given {
		for scope := range strings.FieldsSeq(scopes) {
			if rest, ok := strings.CutPrefix(scope, name); ok && containsAll(strings.Split(rest, ","), actions) {
				return true
			}
		}
	}
	return false
}

func containsAll(have, want []string) bool {
	for _, w := range want {
		if !strings.Contains(","+strings.Join(have, ",")+",", ","+w+",") {
			return false
		}
	}
	return true
}

package registry

import (
	"context"
	"errors"
	"net/http"

	"oras.land/oras-go/v2/registry/remote/auth"
)

// errForeignRealm refuses to log in in the clear where a registry says.
var errForeignRealm = errors.New("the credential for one host is not sent to another by plain HTTP")

type askedHost struct{}

// A loginClient logs in when a host asks for it, and remembers which
// host that is, for [realmGuard].
//
// Where to log in is up to the host: it names a realm, and Docker's hub has its
// own on another host. By TLS it may; that oras asks no realm with a private
// address, and none by plain HTTP if the host speaks TLS, is its own guard.
type loginClient struct{ *auth.Client }

// Do sends a request.
func (c loginClient) Do(req *http.Request) (*http.Response, error) {
	return c.Client.Do(req.WithContext(context.WithValue(req.Context(), askedHost{}, req.URL.Host)))
}

// A realmGuard refuses to take a credential to another host than the one that
// was asked, for all to read. That plain HTTP with the other host is allowed
// does not make it the place for this credential.
type realmGuard struct{ next http.RoundTripper }

func guardRealm(client *http.Client) *http.Client {
	guarded := *client
	guarded.Transport = realmGuard{client.Transport}
	return &guarded
}

// RoundTrip implements [http.RoundTripper].
func (g realmGuard) RoundTrip(req *http.Request) (*http.Response, error) {
	asked, ok := req.Context().Value(askedHost{}).(string)
	secret := req.Header.Get("Authorization") != "" || req.Method == http.MethodPost // as a form has it
	if ok && secret && req.URL.Scheme != "https" && req.URL.Host != asked {
		return refuse(req, errForeignRealm)
	}
	return g.next.RoundTrip(req)
}

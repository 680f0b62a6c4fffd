package registry

import (
	"context"
	"net/http"
	"sync"

	"oras.land/oras-go/v2/registry/remote/auth"
	"oras.land/oras-go/v2/registry/remote/credentials"
)

// authClient returns the client that logs in when a host asks for it. Tokens
// are kept, by host, as long as c lives.
func (c *Client) authClient() loginClient {
	c.login.Do(func() {
		c.auth = &auth.Client{
			Client:     guardRealm(c.httpClient()),
			Header:     http.Header{"User-Agent": {"strata"}},
			Cache:      auth.NewCache(),
			Credential: c.credential(),
		}
	})
	return loginClient{c.auth}
}

func (c *Client) credential() auth.CredentialFunc {
	if c.Credential == nil {
		return dockerCredential()
	}
	return func(ctx context.Context, host string) (auth.Credential, error) {
		user, secret, err := c.Credential(ctx, host)
		switch {
		case err != nil:
			return auth.EmptyCredential, &loginError{host, err}
		case user == "":
			return auth.Credential{AccessToken: secret}, nil
		}
		return auth.Credential{Username: user, Password: secret}, nil
	}
}

// dockerCredential looks up credentials in the Docker configuration, which is
// read when the first registry asks for a login.
func dockerCredential() auth.CredentialFunc {
	load := sync.OnceValues(func() (auth.CredentialFunc, error) {
		store, err := credentials.NewStoreFromDocker(credentials.StoreOptions{})
		if err != nil {
			return nil, err
		}
		return credentials.Credential(store), nil
	})
	return func(ctx context.Context, host string) (auth.Credential, error) {
		lookup, err := load()
		if err != nil {
			return auth.EmptyCredential, &loginError{host, err}
		}
		credential, err := lookup(ctx, host)
		if err != nil {
			return auth.EmptyCredential, &loginError{host, err}
		}
		return credential, nil
	}
}

// A loginError says that there is no credential to log in with, because
// looking it up went wrong.
type loginError struct {
	host string
	err  error
}

func (e *loginError) Error() string {
	return "looking up the credential for " + e.host + ": " + e.err.Error()
}

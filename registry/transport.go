package registry

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
)

// TLS says how to talk TLS with a host.
type TLS struct {
	// CA holds the certificates, in PEM form, that the host's certificate must
	// come from. If empty, those of the system.
	CA []byte
	// Cert and Key are the client's own certificate, with those in between, and
	// its private key, in PEM form. If empty, the client shows none.
	Cert, Key []byte
}

// maxIdle is how many connections to one host are kept for the next request. It
// is more than net/http keeps, since many layers are looked up at once.
const maxIdle = 32

// A plainError refuses a request without TLS.
type plainError struct{ host string }

func (e *plainError) Error() string { return "plain HTTP is not allowed with " + e.host }

// httpClient returns the client that sends all requests of c.
func (c *Client) httpClient() *http.Client {
	base := c.HTTPClient
	if base == nil {
		base = &http.Client{Transport: retrying{newTransports(c.TLS)}}
	}
	guarded := *base
	guarded.Transport = plainGuard{c, base.Transport}
	return &guarded
}

// A plainGuard refuses plain HTTP with hosts that are not listed, wherever the
// URL comes from: a redirect, the realm of a login, an index of charts.
type plainGuard struct {
	client *Client
	next   http.RoundTripper // nil for the default
}

// RoundTrip implements [http.RoundTripper].
func (g plainGuard) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.URL.Scheme != "https" && !g.client.plainHTTP(req.URL.Host) {
		return refuse(req, &plainError{req.URL.Host})
	}
	next := g.next
	if next == nil {
		next = http.DefaultTransport
	}
	return next.RoundTrip(req)
}

// refuse ends a request that is not sent, as [http.RoundTripper] demands.
func refuse(req *http.Request, err error) (*http.Response, error) {
	if req.Body != nil {
		req.Body.Close()
	}
	return nil, err
}

// plainHTTP reports whether a host may be spoken to without TLS.
func (c *Client) plainHTTP(host string) bool {
	return slices.ContainsFunc(c.PlainHTTP, func(h string) bool { return strings.EqualFold(h, host) })
}

// Transports choose the connections by host.
type transports struct {
	standard *http.Transport
	special  map[string]*http.Transport
	bad      map[string]error
}

func newTransports(hosts map[string]TLS) *transports {
	t := &transports{new(http.Transport), map[string]*http.Transport{}, map[string]error{}}
	if standard, ok := http.DefaultTransport.(*http.Transport); ok {
		t.standard = standard.Clone()
	}
	t.standard.MaxIdleConnsPerHost = maxIdle
	for host, settings := range hosts {
		host = strings.ToLower(host)
		config, err := settings.config()
		if err != nil {
			t.bad[host] = fmt.Errorf("Client.TLS[%q]: %w", host, err)
			continue
		}
		t.special[host] = t.standard.Clone()
		t.special[host].TLSClientConfig = config
	}
	return t
}

// RoundTrip implements [http.RoundTripper].
func (t *transports) RoundTrip(req *http.Request) (*http.Response, error) {
	host := strings.ToLower(req.URL.Host)
	if err := t.bad[host]; err != nil {
		return refuse(req, err)
	}
	if special := t.special[host]; special != nil {
		return special.RoundTrip(req)
	}
	return t.standard.RoundTrip(req)
}

func (t TLS) config() (*tls.Config, error) {
	config := &tls.Config{MinVersion: tls.VersionTLS12}
	if len(t.CA) > 0 {
		config.RootCAs = x509.NewCertPool()
		if !config.RootCAs.AppendCertsFromPEM(t.CA) {
			return nil, errors.New("CA: no certificate in PEM form")
		}
	}
	if len(t.Cert) > 0 || len(t.Key) > 0 {
		pair, err := tls.X509KeyPair(t.Cert, t.Key)
		if err != nil {
			return nil, fmt.Errorf("TLS.Cert and TLS.Key: %w", err)
		}
		config.Certificates = []tls.Certificate{pair}
	}
	return config, nil
}

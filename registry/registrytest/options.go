package registrytest

import (
	"io/fs"
	"net/http"
	"time"
)

// Options say how a server differs from an open one on plain HTTP.
type Options struct {
	// User and Password, if User is set, are what the server wants, by basic
	// authentication.
	User, Password string
	// Token makes the server want a bearer token instead, which it gives for
	// User and Password at the realm that it names, as Docker's registries do.
	// Without a User it gives one to everybody.
	Token bool
	// TLS makes the server speak TLS, with a certificate of its own authority,
	// [Server.CA].
	TLS bool
	// Latency is waited before each answer.
	Latency time.Duration
	// Charts are served as a classic Helm repository at [Server.HelmURL]: each
	// top-level folder with a Chart.yaml, packed.
	Charts fs.FS
}

// A Fault is something that goes wrong with some requests. Of the fields below
// Times one is set, or Delay alone.
type Fault struct {
	// Match says which requests it is about. If nil, all.
	Match func(*http.Request) bool
	// Skip is how many of these are served well before.
	Skip int
	// Times is how many then go wrong. If zero, one; if negative, all.
	Times int

	// Status is answered instead, with Header ("Retry-After", for instance).
	Status int
	Header http.Header
	// Reset cuts the connection before the answer.
	Reset bool
	// Hang does not answer until the client gives up or the server is closed.
	Hang bool
	// Truncate cuts the connection after so many bytes of the body.
	Truncate int64
	// Change makes another body of the answer's, and its length is declared.
	Change func(body []byte) []byte
	// Delay is waited first.
	Delay time.Duration
}

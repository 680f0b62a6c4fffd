package reconciletest

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"os"
	"strconv"
	"syscall"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
)

// A Fault is what happens to a request on its way to next and back. Those of
// this package are [Answer], [TimeOut], [Hang], [Refuse], [ResetBefore],
// [ResetAfter], [Cut], [Delay] and [Die]; any function will do. Like a transport,
// it closes the body of a request that it does not send on.
type Fault func(r *http.Request, next http.RoundTripper) (*http.Response, error)

// Answer answers as an API server does that refuses, without passing the request
// on: with the status that the constructors of [k8s.io/apimachinery/pkg/api/errors]
// make, NewTooManyRequests for example, whose seconds become a Retry-After header.
func Answer(err apierrors.APIStatus) Fault {
	return func(r *http.Request, _ http.RoundTripper) (*http.Response, error) {
		drop(r)
		status := err.Status()
		status.Kind, status.APIVersion = "Status", "v1"
		body, err := json.Marshal(status)
		if err != nil {
			return nil, err
		}
		header := http.Header{"Content-Type": {"application/json"}}
		if d := status.Details; d != nil && d.RetryAfterSeconds > 0 {
			header.Set("Retry-After", strconv.Itoa(int(d.RetryAfterSeconds)))
		}
		code := int(status.Code)
		return &http.Response{
			Status: strconv.Itoa(code) + " " + http.StatusText(code), StatusCode: code,
			Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Header: header,
			ContentLength: int64(len(body)), Body: io.NopCloser(bytes.NewReader(body)), Request: r,
		}, nil
	}
}

// TimeOut is a connection that timed out: the error is a [net.Error] that says
// so, and it comes at once. The server has not seen the request.
func TimeOut(r *http.Request, _ http.RoundTripper) (*http.Response, error) {
	drop(r)
	return nil, broken("read", os.ErrDeadlineExceeded)
}

// Hang is a server that says nothing until the client gives up.
func Hang(r *http.Request, _ http.RoundTripper) (*http.Response, error) {
	drop(r)
	<-r.Context().Done()
	return nil, r.Context().Err()
}

// Refuse is a server that is not there: the connection is refused. With
// [Always], it is gone from then on.
func Refuse(r *http.Request, _ http.RoundTripper) (*http.Response, error) {
	drop(r)
	return nil, broken("dial", syscall.ECONNREFUSED)
}

// ResetBefore is a connection that is reset before the server saw the request.
func ResetBefore(r *http.Request, _ http.RoundTripper) (*http.Response, error) {
	drop(r)
	return nil, broken("write", syscall.ECONNRESET)
}

// ResetAfter is a connection that is reset after the server did what the request
// asks for: only the answer is lost.
func ResetAfter(r *http.Request, next http.RoundTripper) (*http.Response, error) {
	response, err := next.RoundTrip(r)
	if err == nil {
		err = response.Body.Close()
	}
	if err == nil {
		err = broken("read", syscall.ECONNRESET)
	}
	return nil, err
}

// Cut cuts the connection after so many bytes of the answer's body: of an
// object, a list, or the stream of a watch.
func Cut(bytes int64) Fault {
	return func(r *http.Request, next http.RoundTripper) (*http.Response, error) {
		response, err := next.RoundTrip(r)
		if err == nil {
			response.Body = &cutBody{response.Body, bytes}
		}
		return response, err
	}
}

type cutBody struct {
	io.ReadCloser
	left int64
}

func (b *cutBody) Read(p []byte) (int, error) {
	if b.left <= 0 {
		return 0, io.ErrUnexpectedEOF
	}
	n, err := b.ReadCloser.Read(p[:min(int64(len(p)), b.left)])
	b.left -= int64(n)
	return n, err
}

// Delay passes the request on after a time, or not at all if the client gives
// up before.
func Delay(d time.Duration) Fault {
	return func(r *http.Request, next http.RoundTripper) (*http.Response, error) {
		timer := time.NewTimer(d)
		defer timer.Stop()
		select {
		case <-timer.C:
			return next.RoundTrip(r)
		case <-r.Context().Done():
			drop(r)
			return nil, r.Context().Err()
		}
	}
}

// Die is the end of the client's process, seen from the cluster: the request is
// not sent, and end is called, which is to cancel the context of everything that
// the process does. With [Always], nothing of it is ever heard again.
func Die(end context.CancelFunc) Fault {
	return func(r *http.Request, _ http.RoundTripper) (*http.Response, error) {
		drop(r)
		end()
		return nil, context.Canceled
	}
}

func broken(doing string, err error) error {
	return &net.OpError{Op: doing, Net: "tcp", Err: err}
}

// drop closes the body of a request that is not sent.
func drop(r *http.Request) {
	if r.Body != nil {
		_ = r.Body.Close() // nobody reads it
	}
}

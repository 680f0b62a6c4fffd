package registry

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"syscall"

	"oras.land/oras-go/v2/errdef"
	"oras.land/oras-go/v2/registry/remote/auth"
	"oras.land/oras-go/v2/registry/remote/errcode"

	"github.com/strata-go/strata/layer"
)

// A remoteError is what came of talking to a host. Its text stands in for that
// of the cause, which may show the URLs of redirects with signatures in them.
type remoteError struct {
	text string
	kind error
}

func (e *remoteError) Error() string { return e.text }
func (e *remoteError) Unwrap() error { return e.kind }

// classify says in the terms of this package what came of talking to a host.
func classify(ctx context.Context, host string, err error) error {
	if err == nil {
		return nil
	}
	if ctx.Err() != nil {
		return fmt.Errorf("asking %s: %w", host, context.Cause(ctx))
	}
	hint, kind := kindOf(err)
	text := fmt.Sprintf("asking %s: %s", host, scrub(describe(err)))
	if kind != nil {
		text = fmt.Sprintf("%s: %s", kind, text)
	}
	return &remoteError{text + hint, kind}
}

func kindOf(err error) (hint string, kind error) {
	var status *errcode.ErrorResponse
	var certificate *tls.CertificateVerificationError
	var login *loginError
	var plain *plainError
	switch {
	case errors.As(err, &login), errors.Is(err, auth.ErrBasicCredentialNotFound):
		return "", ErrUnauthorized
	case errors.As(err, &status):
		return "", statusKind(status.StatusCode)
	case errors.Is(err, errdef.ErrNotFound):
		return "", layer.ErrNotFound
	case errors.Is(err, http.ErrSchemeMismatch), errors.As(err, &plain):
		return ": if that is meant to be so, list it in Client.PlainHTTP", nil
	case errors.As(err, &certificate):
		return "", nil
	case unreachable(err):
		return "", layer.ErrUnavailable
	}
	return "", nil
}

func statusKind(code int) error {
	switch {
	case code == http.StatusNotFound:
		return layer.ErrNotFound
	case code == http.StatusUnauthorized, code == http.StatusForbidden:
		return ErrUnauthorized
	case code == http.StatusRequestTimeout, code == http.StatusTooManyRequests, code >= 500:
		return layer.ErrUnavailable
	}
	return nil
}

func unreachable(err error) bool {
	var network *net.OpError
	var name *net.DNSError
	var timeout net.Error
	return errors.As(err, &network) || errors.As(err, &name) ||
		errors.As(err, &timeout) && timeout.Timeout() ||
		errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, syscall.ECONNRESET)
}

// describe returns the text of an error without the layers of wrapping that
// repeat the URL.
func describe(err error) string {
	var status *errcode.ErrorResponse
	var request *url.Error
	var login *loginError
	switch {
	case errors.As(err, &login):
		return login.Error()
	case errors.As(err, &status) && len(status.Errors) > 0:
		return fmt.Sprintf("status %d: %.300s", status.StatusCode, status.Errors.Error())
	case errors.As(err, &status):
		return fmt.Sprintf("status %d", status.StatusCode)
	case errors.As(err, &request):
		return request.Err.Error()
	}
	return err.Error()
}

// hostOf returns the host of a URL, for errors; the URL if it has none.
func hostOf(text string) string {
	if u, err := url.Parse(text); err == nil && u.Host != "" {
		return u.Host
	}
	return scrubURL(text)
}

var urlPattern = regexp.MustCompile(`[a-zA-Z][a-zA-Z0-9+.-]*://[^\s"'<>]*`)

// scrub takes user, password, query and fragment out of the URLs in a text.
func scrub(text string) string { return urlPattern.ReplaceAllStringFunc(text, scrubURL) }

// scrubURL does the same to a text that is meant to be one URL, or a name.
func scrubURL(text string) string {
	u, err := url.Parse(text)
	if err != nil || u.Host == "" && strings.Contains(text, "@") {
		return "(unreadable URL)"
	}
	u.User, u.RawQuery, u.Fragment = nil, "", ""
	return u.String()
}

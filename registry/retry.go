package registry

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strconv"
	"syscall"
	"time"

	"github.com/strata-go/strata/internal/retry"
)

const (
	// maxTries is how often a request is sent in all. The waits between them
	// come to some seconds, unless the host asks for longer ones.
	maxTries = 6
	// maxAskedWait is the longest wait that a host may ask for.
	maxAskedWait = time.Minute
	// maxDrained is how much of a refused answer is read to keep its connection.
	maxDrained = 64 << 10
)

// Retrying sends a request again when the host is busy or hangs up, after the
// time that the host asks for, as RFC 9110, section 10.2.3, has it. If that is
// too long, or longer than the context allows, the answer is final.
type retrying struct{ next http.RoundTripper }

// RoundTrip implements [http.RoundTripper].
func (r retrying) RoundTrip(req *http.Request) (*http.Response, error) {
	wait := retry.Backoff{First: 200 * time.Millisecond, Longest: 5 * time.Second}
	for try := 1; ; try++ {
		resp, err := r.next.RoundTrip(req)
		if try == maxTries || !again(req.Context(), resp, err) {
			return resp, err
		}
		asked := askedWait(resp, time.Now())
		if asked > maxAskedWait || beyond(req.Context(), asked) {
			return resp, err
		}
		next, ok := rewound(req)
		if !ok {
			return resp, err
		}
		if resp != nil {
			_, _ = io.Copy(io.Discard, io.LimitReader(resp.Body, maxDrained))
			resp.Body.Close()
		}
		if err := wait.WaitAtLeast(req.Context(), asked); err != nil {
			return refuse(next, err)
		}
		req = next
	}
}

// again reports whether the same request may have another outcome later. A host
// that cannot be reached at all is not worth waiting for.
func again(ctx context.Context, resp *http.Response, err error) bool {
	if err != nil {
		var network *net.OpError
		var timeout net.Error
		switch {
		case ctx.Err() != nil, errors.As(err, &network) && network.Op == "dial":
			return false
		case errors.As(err, &timeout) && timeout.Timeout():
			return true
		}
		return errors.Is(err, syscall.ECONNRESET) || errors.Is(err, io.EOF)
	}
	switch resp.StatusCode {
	case http.StatusRequestTimeout, http.StatusTooManyRequests, http.StatusInternalServerError,
		http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return true
	}
	return false
}

// askedWait returns how long the host asks to wait; zero if it does not.
func askedWait(resp *http.Response, now time.Time) time.Duration {
	if resp == nil {
		return 0
	}
	text := resp.Header.Get("Retry-After")
	if seconds, err := strconv.ParseUint(text, 10, 31); err == nil {
		return time.Duration(seconds) * time.Second
	}
	if date, err := http.ParseTime(text); err == nil {
		return max(0, date.Sub(now))
	}
	return 0
}

// beyond reports whether ctx ends within d.
func beyond(ctx context.Context, d time.Duration) bool {
	deadline, ok := ctx.Deadline()
	return ok && time.Until(deadline) < d
}

// rewound returns the request to send again, if its body can be read again.
func rewound(req *http.Request) (*http.Request, bool) {
	next := req.Clone(req.Context())
	if req.Body == nil || req.Body == http.NoBody {
		return next, true
	}
	if req.GetBody == nil {
		return nil, false
	}
	body, err := req.GetBody()
	next.Body = body
	return next, err == nil
}

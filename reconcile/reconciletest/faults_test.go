package reconciletest_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/strata-go/strata/reconcile/reconciletest"
)

// a server that counts what it sees, and a client whose requests meet faults.
type served struct {
	reconciletest.Faults
	*http.Client
	url  string
	seen atomic.Int64
}

func newServed(t *testing.T) *served {
	t.Helper()
	s := new(served)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		s.seen.Add(1)
		_, _ = io.WriteString(w, "0123456789")
	}))
	t.Cleanup(server.Close)
	s.url = server.URL
	s.Client = &http.Client{Transport: s.Wrap(http.DefaultTransport)}
	return s
}

// send returns the code of the answer and its body, as far as it came.
func (s *served) send(ctx context.Context, method, path string) (code int, body string, err error) {
	r, err := http.NewRequestWithContext(ctx, method, s.url+path, strings.NewReader("{}"))
	if err != nil {
		return 0, "", err
	}
	response, err := s.Do(r)
	if err != nil {
		return 0, "", err
	}
	data, err := io.ReadAll(response.Body)
	return response.StatusCode, string(data), errors.Join(err, response.Body.Close())
}

func TestFault(t *testing.T) {
	t.Parallel()
	maps := schema.GroupResource{Resource: "configmaps"}
	timedOut := func(err error) bool {
		netErr, ok := errors.AsType[net.Error](err)
		return ok && netErr.Timeout()
	}
	is := func(target error) func(error) bool {
		return func(err error) bool { return errors.Is(err, target) }
	}
	for name, tt := range map[string]struct {
		fault reconciletest.Fault
		code  int
		body  string // is in what came
		err   func(error) bool
		seen  int64
	}{
		"none":     {nil, 200, "0123456789", nil, 1},
		"conflict": {reconciletest.Answer(apierrors.NewConflict(maps, "a", errors.New("changed"))), 409, `"reason":"Conflict"`, nil, 0},
		"busy":     {reconciletest.Answer(apierrors.NewTooManyRequests("busy", 7)), 429, `"retryAfterSeconds":7`, nil, 0},
		"internal": {reconciletest.Answer(apierrors.NewInternalError(errors.New("x"))), 500, `"kind":"Status"`, nil, 0},
		"time-out": {reconciletest.TimeOut, 0, "", timedOut, 0},
		"refused":  {reconciletest.Refuse, 0, "", is(syscall.ECONNREFUSED), 0},
		"before":   {reconciletest.ResetBefore, 0, "", is(syscall.ECONNRESET), 0},
		"after":    {reconciletest.ResetAfter, 0, "", is(syscall.ECONNRESET), 1},
		"cut":      {reconciletest.Cut(4), 200, "0123", is(io.ErrUnexpectedEOF), 1},
		"delay":    {reconciletest.Delay(time.Nanosecond), 200, "0123456789", nil, 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newServed(t)
			s.Play(reconciletest.Rule{Fault: tt.fault})
			code, body, err := s.send(t.Context(), "POST", "/a")
			if code != tt.code || !strings.Contains(body, tt.body) || code == 200 && body != tt.body {
				t.Errorf("the answer is %d %q, want %d with %q", code, body, tt.code, tt.body)
			}
			if (err != nil) != (tt.err != nil) || err != nil && !tt.err(err) {
				t.Errorf("the error is %v", err)
			}
			if n := s.seen.Load(); n != tt.seen {
				t.Errorf("the server saw %d requests, want %d", n, tt.seen)
			}
			if code, _, err := s.send(t.Context(), "POST", "/a"); code != 200 || err != nil {
				t.Errorf("the next request gets %d, %v; want it let through", code, err)
			}
		})
	}
}

func TestRetryAfter(t *testing.T) {
	t.Parallel()
	s := newServed(t)
	s.Play(reconciletest.Rule{Fault: reconciletest.Answer(apierrors.NewTooManyRequests("busy", 7))})
	response, err := s.Get(s.url)
	if err != nil {
		t.Fatal(err)
	}
	if err := response.Body.Close(); err != nil || response.Header.Get("Retry-After") != "7" {
		t.Errorf("Retry-After is %q, %v; want 7", response.Header.Get("Retry-After"), err)
	}
}

func TestFaultsEndWithContext(t *testing.T) {
	t.Parallel()
	for name, fault := range map[string]reconciletest.Fault{"hang": reconciletest.Hang, "delay": reconciletest.Delay(time.Hour)} {
		s := newServed(t)
		s.Play(reconciletest.Rule{Fault: fault})
		ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		if _, _, err := s.send(ctx, "GET", "/a"); !errors.Is(err, context.DeadlineExceeded) || s.seen.Load() != 0 {
			t.Errorf("%s: %v after %d requests, want the end of the context", name, err, s.seen.Load())
		}
	}
}

func TestDie(t *testing.T) {
	t.Parallel()
	s := newServed(t)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	s.Play(reconciletest.Rule{Skip: 1, Times: reconciletest.Always, Fault: reconciletest.Die(cancel)})
	for i := range 3 {
		if _, _, err := s.send(ctx, "POST", "/a"); (err != nil) != (i > 0) || i > 0 && !errors.Is(err, context.Canceled) {
			t.Errorf("request %d: %v", i, err)
		}
	}
	if ctx.Err() == nil || s.seen.Load() != 1 {
		t.Errorf("the process is %v after %d requests, want it dead after one", ctx.Err(), s.seen.Load())
	}
}

func TestRules(t *testing.T) {
	t.Parallel()
	refuse := func(r reconciletest.Rule) reconciletest.Rule { r.Fault = reconciletest.Refuse; return r }
	requests := []string{"GET /apis/apps/v1/namespaces/a/deployments", "PATCH /apis/apps/v1/namespaces/a/deployments/web", "PATCH /apis/apps/v1/namespaces/a/deployments/web?dryRun=All", "PATCH /apis/apps/v1/namespaces/a/deployments/web/status", "GET /apis/apps/v1/namespaces/a/deployments"}
	for name, tt := range map[string]struct {
		rules []reconciletest.Rule
		want  []int // the requests that meet a fault
	}{
		"no rule":       {nil, nil},
		"once":          {[]reconciletest.Rule{refuse(reconciletest.Rule{})}, []int{0}},
		"the third":     {[]reconciletest.Rule{refuse(reconciletest.Rule{Skip: 2})}, []int{2}},
		"from then on":  {[]reconciletest.Rule{refuse(reconciletest.Rule{Skip: 2, Times: reconciletest.Always})}, []int{2, 3, 4}},
		"by method":     {[]reconciletest.Rule{refuse(reconciletest.Rule{Method: "PATCH", Times: 2})}, []int{1, 2}},
		"an object":     {[]reconciletest.Rule{refuse(reconciletest.Rule{Path: "deployments/web", Times: 9})}, []int{1, 2}},
		"a list":        {[]reconciletest.Rule{refuse(reconciletest.Rule{Path: "/deployments", Times: 9})}, []int{0, 4}},
		"no segment":    {[]reconciletest.Rule{refuse(reconciletest.Rule{Path: "ployments"})}, nil},
		"a dry run":     {[]reconciletest.Rule{refuse(reconciletest.Rule{When: reconciletest.Request.DryRun})}, []int{2}},
		"a write":       {[]reconciletest.Rule{refuse(reconciletest.Rule{When: reconciletest.Request.Write, Times: 9})}, []int{1, 3}},
		"one by one":    {[]reconciletest.Rule{refuse(reconciletest.Rule{}), refuse(reconciletest.Rule{})}, []int{0, 1}},
		"let through":   {[]reconciletest.Rule{{Method: "GET"}, refuse(reconciletest.Rule{Method: "GET", Times: 9})}, []int{4}},
		"nothing fails": {[]reconciletest.Rule{{}}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newServed(t)
			s.Play(tt.rules...)
			for _, r := range requests {
				method, path, _ := strings.Cut(r, " ")
				_, _, _ = s.send(t.Context(), method, path) // what it met is in the log
			}
			var met []int
			all := s.Take()
			for i, r := range all {
				if r.String() != requests[i] {
					t.Errorf("request %d is %s, want %s", i, r, requests[i])
				}
				if r.Faulty {
					met = append(met, i)
				}
			}
			if !slices.Equal(met, tt.want) || len(all) != len(requests) {
				t.Errorf("of %d requests %v meet a fault, want %v", len(all), met, tt.want)
			}
			if n := len(all.Writes()); n != 2 {
				t.Errorf("%d are writes, want 2", n)
			}
			if left := s.Take(); len(left) != 0 {
				t.Errorf("Take leaves %v", left)
			}
		})
	}
}

func TestFaultsFromManyGoroutines(t *testing.T) {
	t.Parallel()
	s := newServed(t)
	s.Play(reconciletest.Rule{Skip: 10, Times: 5, Fault: reconciletest.Refuse})
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() { _, _, _ = s.send(t.Context(), "POST", "/a") })
	}
	wg.Wait()
	if n := s.seen.Load(); n != 15 {
		t.Errorf("the server saw %d requests of 20, want 15", n)
	}
}

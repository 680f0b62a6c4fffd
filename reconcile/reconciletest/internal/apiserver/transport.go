package apiserver

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"sync"
)

// Transport sends requests to a handler of this process: without a socket, so
// that all that waits, waits for something of this process.
type Transport struct{ Handler http.Handler }

// RoundTrip returns once the handler has begun to answer.
func (t Transport) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Body != nil {
		defer r.Body.Close()
	}
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(r.Context())
	body := &stream{cancel: cancel, wake: make(chan struct{}, 1)}
	w := &answer{header: http.Header{}, body: body, begun: make(chan struct{})}
	if watches(r) {
		go w.serve(t.Handler, r.WithContext(ctx))
	} else {
		w.serve(t.Handler, r.WithContext(ctx))
	}
	select {
	case <-w.begun:
	case <-ctx.Done():
		cancel()
		return nil, ctx.Err()
	}
	return &http.Response{
		Status: http.StatusText(w.code), StatusCode: w.code, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: w.header, ContentLength: -1, Body: body, Request: r,
	}, nil
}

// answer is what a handler writes to.
type answer struct {
	header http.Header
	code   int
	once   sync.Once
	begun  chan struct{}
	body   *stream
}

func (w *answer) serve(h http.Handler, r *http.Request) {
	h.ServeHTTP(w, r)
	w.WriteHeader(http.StatusOK)
	err := r.Context().Err()
	if err == nil {
		err = io.EOF
	}
	w.body.end(err)
}

func (w *answer) Header() http.Header { return w.header }

func (w *answer) WriteHeader(code int) {
	w.once.Do(func() {
		w.code, w.header = code, w.header.Clone()
		close(w.begun)
	})
}

func (w *answer) Write(p []byte) (int, error) {
	w.WriteHeader(http.StatusOK)
	return w.body.Write(p)
}

func (w *answer) Flush() { w.WriteHeader(http.StatusOK) }

// stream is a body that one writes and another reads. It holds all that is
// written: a writer never waits.
type stream struct {
	cancel context.CancelFunc
	wake   chan struct{}

	mu     sync.Mutex
	data   bytes.Buffer
	err    error // after data
	closed bool
}

func (s *stream) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return 0, io.ErrClosedPipe
	}
	s.poke()
	return s.data.Write(p)
}

func (s *stream) end(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.err = err
	s.poke()
}

func (s *stream) poke() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

func (s *stream) Read(p []byte) (int, error) {
	for {
		s.mu.Lock()
		n, _ := s.data.Read(p)
		err, closed := s.err, s.closed
		s.mu.Unlock()
		switch {
		case n > 0:
			return n, nil
		case closed:
			return 0, http.ErrBodyReadAfterClose
		case err != nil:
			return 0, err
		}
		<-s.wake
	}
}

// Close ends the request, if the handler is still at it.
func (s *stream) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	s.cancel()
	s.poke()
	return nil
}

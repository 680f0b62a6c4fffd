package main

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/strata-go/strata/reconcile/reconciletest"
)

// The page shows the stack once it is there; when the program ends, nothing of
// it is left. The cluster is simulated: the program does not know.
func TestStatus(t *testing.T) {
	var cluster reconciletest.Simulation
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	ended := make(chan error, 1)
	go func() { ended <- run(ctx, cluster.Config(), listener, true, io.Discard) }()
	events := get(ctx, t, "http://"+listener.Addr().String()+"/events")
	defer events.Close()
	seen := ""
	for buffer := make([]byte, 1<<16); !strings.Contains(seen, `data-health=\"Ready\"`); {
		n, err := events.Read(buffer)
		if err != nil {
			t.Fatalf("%v after %s", err, seen)
		}
		seen += string(buffer[:n])
	}
	page, err := io.ReadAll(get(ctx, t, "http://"+listener.Addr().String()+"/"))
	if err != nil || !strings.Contains(string(page), `<th scope="row">web</th>`) {
		t.Errorf("the page is %s, %v", page, err)
	}
	cancel()
	if err := <-ended; err != nil && !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

func get(ctx context.Context, t *testing.T, url string) io.ReadCloser {
	t.Helper()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	return response.Body
}

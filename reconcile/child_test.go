package reconcile_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"os/exec"
	"path"
	"strings"
	"sync"

	"github.com/opencontainers/go-digest"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/strata-go/strata/layer"
	"github.com/strata-go/strata/profile"
	"github.com/strata-go/strata/reconcile"
)

// childVariable makes the test binary a program that carries out one [order].
const childVariable = "STRATA_TEST_CHILD"

// An order is what a process of its own is told to do.
type order struct {
	Kubeconfig []byte
	Name       string        // of the target
	Namespace  string        // of its inventory
	Identity   string        // of the Reconciler
	Layers     []layer.Layer // to converge to; nil deletes everything
	Ask        bool          // before and after each request
}

// A call is a request as it is announced.
type call struct{ Method, Path, Query, Name string }

func (c call) write() bool { return c.Method != http.MethodGet && !strings.Contains(c.Query, "dryRun") }

// An announcement is what a child says.
type announcement struct {
	Phase  string // "begin", "before" and "after" a request, "end"
	Call   call
	Status int    // after a request: of the answer
	Error  string // at the end
}

// A gate lets one request through at a time, and announces each.
type gate struct {
	mu       sync.Mutex
	announce func(announcement)
}

func (g *gate) wrap(next http.RoundTripper) http.RoundTripper {
	return roundTripper(func(r *http.Request) (*http.Response, error) {
		g.mu.Lock()
		defer g.mu.Unlock()
		c, err := callOf(r)
		if err != nil {
			return nil, err
		}
		g.announce(announcement{Phase: "before", Call: c})
		response, err := next.RoundTrip(r)
		if err == nil {
			g.announce(announcement{Phase: "after", Call: c, Status: response.StatusCode})
		}
		return response, err
	})
}

// callOf reads the name of what is created from the body.
func callOf(r *http.Request) (call, error) {
	c := call{Method: r.Method, Path: r.URL.Path, Query: r.URL.RawQuery, Name: path.Base(r.URL.Path)}
	if r.Method != http.MethodPost {
		return c, nil
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return c, err
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	var o struct{ Metadata struct{ Name string } }
	err = json.Unmarshal(body, &o)
	c.Name = o.Metadata.Name
	return c, err
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// beChild carries out the order. It announces what it does on its standard
// output, and goes on when it reads a byte.
func beChild() int {
	say := json.NewEncoder(os.Stdout)
	announce := func(a announcement) {
		if err := say.Encode(a); err != nil {
			os.Exit(1) // nobody listens any more
		}
	}
	var o order
	err := json.Unmarshal([]byte(os.Getenv(childVariable)), &o)
	if err == nil {
		announce(announcement{Phase: "begin"})
		err = o.carryOut(func(a announcement) {
			announce(a)
			if _, err := os.Stdin.Read(make([]byte, 1)); err != nil {
				os.Exit(1)
			}
		})
	}
	end := announcement{Phase: "end"}
	if err != nil {
		end.Error = err.Error()
	}
	announce(end)
	return 0
}

func (o order) carryOut(ask func(announcement)) error {
	config, err := clientcmd.RESTConfigFromKubeConfig(o.Kubeconfig)
	if err != nil {
		return err
	}
	if o.Ask {
		config.Wrap((&gate{announce: ask}).wrap)
	}
	target := reconcile.Target{Config: config, Name: o.Name, Namespace: o.Namespace}
	return bring(context.Background(), &reconcile.Reconciler{Fetcher: charts, Identity: o.Identity}, target, o.Layers)
}

// bring converges a target to a stack of layers, or deletes everything.
func bring(ctx context.Context, r *reconcile.Reconciler, t reconcile.Target, layers []layer.Layer) error {
	if layers == nil {
		_, err := r.DeleteAndWait(ctx, t)
		return err
	}
	d, err := stackOf(ctx, layers)
	if err == nil {
		_, err = r.Converge(ctx, t, d)
	}
	return err
}

func stackOf(ctx context.Context, layers []layer.Layer) (*profile.Desired, error) {
	return profile.Resolve(ctx, charts, nil, &profile.Profile{Name: "stack", Version: "1.0.0", Type: profile.AddOn, Layers: layers})
}

// errKilled is how a child ends that was killed.
var errKilled = errors.New("killed")

// run starts a child and kills it, with SIGKILL, as soon as kill says so of what
// it announces.
func (o order) run(kill func(announcement) bool) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	text, err := json.Marshal(o)
	if err != nil {
		return err
	}
	child := exec.Command(self)
	child.Env = append(os.Environ(), childVariable+"="+string(text))
	child.Stderr = os.Stderr
	leave, err := child.StdinPipe()
	if err != nil {
		return err
	}
	said, err := child.StdoutPipe()
	if err != nil {
		return err
	}
	if err := child.Start(); err != nil {
		return err
	}
	ended := errors.New("the child ended without a word")
	for heard := json.NewDecoder(said); ; {
		var a announcement
		if heard.Decode(&a) != nil {
			break
		}
		if kill(a) {
			ended = errors.Join(errKilled, child.Process.Kill())
			break
		}
		switch a.Phase {
		case "end":
			ended = nil
			if a.Error != "" {
				ended = errors.New(a.Error)
			}
		case "before", "after":
			_, _ = leave.Write([]byte{0}) // if it is dead, that is heard
		}
	}
	_ = child.Wait() // says that it was killed
	return ended
}

// A shelf is content by the name of the artifact.
type shelf map[string]fs.FS

// Resolve pins whatever the shelf has.
func (s shelf) Resolve(_ context.Context, ref layer.Ref) (layer.Pin, error) {
	if s[ref.Name] == nil {
		return layer.Pin{}, fmt.Errorf("the shelf has no %s", ref.Name)
	}
	return layer.Pin{Ref: ref, Repository: "oci://shelf/" + ref.Name, Resolved: "1.0.0", Digest: digest.FromString(ref.Name)}, nil
}

// Fetch returns the files of an artifact.
func (s shelf) Fetch(_ context.Context, pin layer.Pin) (fs.FS, error) { return s[pin.Name], nil }

// gated returns a configuration whose requests are kept in a list.
func gated(config *rest.Config, calls *[]announcement) *rest.Config {
	config = rest.CopyConfig(config)
	config.Wrap((&gate{announce: func(a announcement) { *calls = append(*calls, a) }}).wrap)
	return config
}

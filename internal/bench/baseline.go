package main

import (
	"context"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/fluxcd/cli-utils/pkg/kstatus/polling"
	"github.com/fluxcd/pkg/ssa"
	"golang.org/x/sync/errgroup"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"github.com/strata-go/strata/layer"
	"github.com/strata-go/strata/profile"
)

// workers is how many requests a baseline has in flight.
const workers = 16

// decode returns the objects of a stack, in their namespaces.
func (s shape) decode() ([]*unstructured.Unstructured, error) {
	var all []*unstructured.Unstructured
	for i := range s.layers {
		for _, doc := range s.documents(i) {
			data, err := yaml.YAMLToJSON([]byte(doc))
			if err != nil {
				return nil, err
			}
			o := new(unstructured.Unstructured)
			if err := o.UnmarshalJSON(data); err != nil {
				return nil, err
			}
			o.SetNamespace(s.namespace(i))
			all = append(all, o)
		}
	}
	return all, nil
}

// desiredChanged is desired with other text in one layer.
func (s shape) desiredChanged(ctx context.Context, number int, text string) (*profile.Desired, error) {
	d, err := s.desired(ctx)
	if err != nil {
		return nil, err
	}
	changed := s
	changed.text = text
	p := &profile.Profile{Name: "bench", Version: "1.0.0", Type: profile.AddOn}
	for _, l := range d.Layers() {
		p.Layers = append(p.Layers, l.Layer)
	}
	i := slices.IndexFunc(p.Layers, func(l layer.Layer) bool { return l.Name == "layer-"+strconv.Itoa(number) })
	p.Layers[i].Manifests.Inline[0].Content = strings.Join(changed.documents(number), "---\n")
	return profile.Resolve(ctx, nil, nil, p)
}

// plain is a bare loop of server-side applies.
type plain struct{ client dynamic.Interface }

func newPlain(config *rest.Config) (*plain, error) {
	c, err := dynamic.NewForConfig(config)
	return &plain{c}, err
}

func resourceOf(o *unstructured.Unstructured) schema.GroupVersionResource {
	gvk := o.GroupVersionKind()
	return gvk.GroupVersion().WithResource(strings.ToLower(gvk.Kind) + "s")
}

func (p *plain) applyAll(ctx context.Context, objects []*unstructured.Unstructured, dryRun bool) error {
	options := metav1.PatchOptions{FieldManager: "plain", Force: new(bool)}
	*options.Force = true
	if dryRun {
		options.DryRun = []string{metav1.DryRunAll}
	}
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(workers)
	for _, o := range objects {
		g.Go(func() error {
			data, err := o.MarshalJSON()
			if err != nil {
				return err
			}
			_, err = p.client.Resource(resourceOf(o)).Namespace(o.GetNamespace()).Patch(ctx, o.GetName(), types.ApplyPatchType, data, options)
			return err
		})
	}
	return g.Wait()
}

func (p *plain) makeNamespaces(ctx context.Context, s shape) error {
	for i := range s.layers {
		ns := &unstructured.Unstructured{}
		ns.SetAPIVersion("v1")
		ns.SetKind("Namespace")
		ns.SetName(s.namespace(i))
		if _, err := p.client.Resource(schema.GroupVersionResource{Version: "v1", Resource: "namespaces"}).Create(ctx, ns, metav1.CreateOptions{}); err != nil {
			return err
		}
	}
	return nil
}

// flux applies as Flux' controllers do.
type flux struct{ manager *ssa.ResourceManager }

func newFlux(config *rest.Config) (*flux, error) {
	c, err := client.New(config, client.Options{})
	if err != nil {
		return nil, err
	}
	poller := polling.NewStatusPoller(c, c.RESTMapper(), polling.Options{})
	return &flux{ssa.NewResourceManager(c, poller, ssa.Owner{Field: "flux", Group: "flux.example.com"})}, nil
}

func (f *flux) applyAll(ctx context.Context, objects []*unstructured.Unstructured) error {
	copies := make([]*unstructured.Unstructured, len(objects))
	for i, o := range objects {
		copies[i] = o.DeepCopy()
	}
	_, err := f.manager.ApplyAll(ctx, copies, ssa.DefaultApplyOptions())
	return err
}

// recorder records the paths of requests.
type recorder struct {
	mu    sync.Mutex
	paths []string
	verbs []string
	times []time.Time
}

func (r *recorder) wrap(next http.RoundTripper) http.RoundTripper {
	return roundTripper(func(req *http.Request) (*http.Response, error) {
		r.mu.Lock()
		r.paths, r.verbs, r.times = append(r.paths, req.URL.Path), append(r.verbs, req.Method), append(r.times, time.Now())
		r.mu.Unlock()
		return next.RoundTrip(req)
	})
}

func (r *recorder) take() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	paths := r.paths
	r.paths, r.verbs, r.times = nil, nil, nil
	return paths
}

// first returns when the first request of a verb whose path ends so was made, not
// before a time; zero if there is none.
func (r *recorder) first(verb, end string, after time.Time) time.Time {
	r.mu.Lock()
	defer r.mu.Unlock()
	for i, path := range r.paths {
		if r.verbs[i] == verb && strings.HasSuffix(path, end) && !r.times[i].Before(after) {
			return r.times[i]
		}
	}
	return time.Time{}
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// namespaceOf returns the namespace that the path of a request names, or "".
func namespaceOf(path string) string {
	_, after, ok := strings.Cut(path, "/namespaces/")
	if !ok {
		return ""
	}
	name, _, _ := strings.Cut(after, "/")
	return name
}

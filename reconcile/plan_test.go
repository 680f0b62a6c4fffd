package reconcile

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
	"sync"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/yaml"

	"github.com/strata-go/strata/internal/inventory"
	"github.com/strata-go/strata/internal/manifest"
	"github.com/strata-go/strata/profile"
)

func parseObject(t *testing.T, text string) *unstructured.Unstructured {
	t.Helper()
	data, err := yaml.YAMLToJSON([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	o := new(unstructured.Unstructured)
	if err := o.UnmarshalJSON(data); err != nil {
		t.Fatal(err)
	}
	return o
}

func TestCompare(t *testing.T) {
	t.Parallel()
	const old = `
apiVersion: v1
kind: %s
metadata: {name: a, resourceVersion: "1", generation: 1, labels: {x: before}, managedFields: [{manager: m}]}
data: {a: one, b: same, c: gone}
list: [{size: 1}, {size: 2}]
status: {phase: Old}
`
	const now = `
apiVersion: v1
kind: %s
metadata: {name: a, resourceVersion: "2", generation: 2, labels: {x: after}, managedFields: [{manager: n}]}
data: {a: two, b: same, d: new}
list: [{size: 1}, {size: 3}]
status: {phase: New}
`
	got := compare(parseObject(t, fmt.Sprintf(old, "Thing")), parseObject(t, fmt.Sprintf(now, "Thing")))
	want := []Change{
		{Field: ".data.a", Old: `"one"`, New: `"two"`}, {Field: ".data.c", Old: `"gone"`, New: ""}, {Field: ".data.d", Old: "", New: `"new"`},
		{Field: ".list[1].size", Old: "2", New: "3"}, {Field: ".metadata.labels.x", Old: `"before"`, New: `"after"`},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("compare = %v\nwant      %v", got, want)
	}
	secret := compare(parseObject(t, fmt.Sprintf(old, "Secret")), parseObject(t, fmt.Sprintf(now, "Secret")))
	for _, c := range secret {
		for _, value := range []string{"one", "two", "gone", "new"} {
			if strings.Contains(c.Old+c.New, value) {
				t.Errorf("the change of a Secret shows %q: %v", value, c)
			}
		}
	}
	if !reflect.DeepEqual(secret[0], Change{Field: ".data.a", Old: "(sensitive)", New: "(sensitive)"}) || secret[1].New != "" {
		t.Errorf("changes of a Secret are %v", secret)
	}
}

func TestPlanString(t *testing.T) {
	t.Parallel()
	p := &Plan{Requests: Cost{Reads: 3, Writes: 4}, Warnings: []string{"mind"}, Hooks: []Hook{
		{Layer: "web", Release: "r", Event: "pre-upgrade", Weight: -1, Object: ObjectRef{Group: "batch", Version: "v1", Kind: "Job", Namespace: "ns", Name: "h"}},
	}, Steps: []Step{
		{Layer: "web", Profile: profile.ID{Name: "apps", Version: "1.0.0"}, Action: Update, Object: ObjectRef{Version: "v1", Kind: "ConfigMap", Namespace: "ns", Name: "a"}, Reason: "why",
			Changes: []Change{{Field: ".data.a", Old: "", New: `"long value"`}}},
		{Layer: "web", Action: Unchanged, Object: ObjectRef{Version: "v1", Kind: "Secret", Name: "b"}},
		{Layer: "x", Action: Delete, Object: ObjectRef{Group: "apps", Version: "v1", Kind: "Deployment", Namespace: "ns", Name: "c"}, Reason: unwanted},
	}}
	want := `update  ConfigMap ns/a        web (apps@1.0.0)  why
          .data.a: (none) -> "long value"
delete  Deployment.apps ns/c  x                 it is no longer in the stack
hook    Job.batch ns/h        web               pre-upgrade of release r, weight -1
warning: mind
3 reads and 4 writes are expected
`
	if got := p.String(); got != want {
		t.Errorf("String =\n%s\nwant\n%s", got, want)
	}
	if p.Empty() || p.Count(Unchanged) != 1 {
		t.Errorf("Empty = %v, Count(Unchanged) = %d", p.Empty(), p.Count(Unchanged))
	}
	p.Steps, p.Hooks, p.Warnings = p.Steps[1:2], nil, nil
	if got := p.String(); got != "nothing to do: 1 objects are as they should be\n" || !p.Empty() {
		t.Errorf("an empty plan is %q", got)
	}
}

func TestWaveOf(t *testing.T) {
	t.Parallel()
	for batch, want := range map[manifest.Batch]wave{
		manifest.Namespaces: enclosing, manifest.Definitions: everything, manifest.Workloads: everything,
		manifest.CustomResources: callers, manifest.APIServices: callers, manifest.Webhooks: callers,
	} {
		if got := waveOf(inventory.Object{Batch: int(batch)}); got != want {
			t.Errorf("wave of batch %d is %d, want %d", batch, got, want)
		}
	}
}

func TestRetryable(t *testing.T) {
	t.Parallel()
	conflict := apierrors.NewConflict(schema.GroupResource{Resource: "x"}, "a", errors.New("changed"))
	invalid := apierrors.NewInvalid(schema.GroupKind{Kind: "X"}, "a", nil)
	for name, tt := range map[string]struct {
		err  error
		want bool
	}{
		"unreachable":            {fmt.Errorf("x: %w: %w", ErrUnreachable, errors.New("refused")), true},
		"changed meanwhile":      {fmt.Errorf("%w", ErrChanged), true},
		"server conflict":        {fmt.Errorf("x: %w", conflict), true},
		"invalid object":         {fmt.Errorf("x: %w", invalid), false},
		"field conflict":         {&LayerError{"a", &ConflictError{}}, false},
		"all of them":            {errors.Join(conflict, &LayerError{"a", conflict}), true},
		"one of them not":        {errors.Join(conflict, invalid), false},
		"something else":         {errors.New("x"), false},
		"not authorized":         {apierrors.NewUnauthorized("x"), false},
		"a terminal layer error": {&LayerError{"a", terminal{conflict}}, false},
	} {
		if got := retryable(tt.err); got != tt.want {
			t.Errorf("%s: retryable = %v, want %v", name, got, tt.want)
		}
	}
	if !errors.Is(&LayerError{"a", invalid}, ErrTerminal) || errors.Is(&LayerError{"a", conflict}, ErrTerminal) {
		t.Error("a LayerError is terminal just if another try does not help")
	}
}

func TestExclusive(t *testing.T) {
	t.Parallel()
	var e exclusive
	var wg sync.WaitGroup
	holders := map[string]int{}
	for i := range 100 {
		key := fmt.Sprint(i % 3)
		wg.Go(func() {
			release, err := e.acquire(t.Context(), key)
			if err != nil {
				t.Error(err)
				return
			}
			defer release()
			e.mu.Lock()
			holders[key]++
			if holders[key] != 1 {
				t.Errorf("%d hold %s", holders[key], key)
			}
			holders[key]--
			e.mu.Unlock()
		})
	}
	wg.Wait()
	if len(e.held) != 0 {
		t.Errorf("still held: %v", e.held)
	}
}

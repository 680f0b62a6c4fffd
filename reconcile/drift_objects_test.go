package reconcile_test

import (
	"context"
	_ "embed"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"
	"sigs.k8s.io/yaml"

	"github.com/strata-go/strata/internal/inventory"
	"github.com/strata-go/strata/reconcile"
)

// driftObjects has an object of each kind that takes part.
//
//go:embed testdata/drift.yaml
var driftObjects string

// How many objects there are of each kind: one for so many of its places, and
// not fewer than least.
const placesEach, least = 10, 8

// truth is an installation of which the test knows what has drifted.
type truth struct {
	*life
	kinds   []*driftKind
	objects []*driftObject
	round   int

	mu      sync.Mutex
	done    map[string]int // edits, by their deed
	refused map[string]int // by the reason
}

// A driftKind is a kind of objects, and what there is to be done to them.
type driftKind struct {
	kind   string
	gvk    schema.GroupVersionKind
	gvr    schema.GroupVersionResource
	places []place
	all    int
	todo   []edit
}

// A driftObject is one object. live is how it was last seen, and first how we
// made it.
type driftObject struct {
	*driftKind
	namespace, name   string
	first, live       map[string]any
	drifted, wasTaken []string
}

func (o *driftObject) String() string { return o.kind + " " + o.name }

func (tr *truth) manager() string { return fmt.Sprint("somebody-", tr.round) }

func (tr *truth) client(o *driftObject) dynamic.ResourceInterface {
	return tr.dynamic.Resource(o.gvr).Namespace(o.namespace)
}

// A forgetfulStore forgets repairs, as hours without one make forget: nothing
// that this test does is to be taken for a fight.
type forgetfulStore struct{ reconcile.MemoryStore }

func (s *forgetfulStore) Save(ctx context.Context, name string, data []byte, version string) (string, error) {
	inv, err := inventory.Decode(data)
	if err != nil {
		return s.MemoryStore.Save(ctx, name, data, version) // another kind of record
	}
	for _, l := range inv.Layers {
		for i := range l.Objects {
			if l.Objects[i].Drift != nil {
				l.Objects[i].Drift.Disputes = nil
			}
		}
	}
	if data, err = inv.Encode(); err != nil {
		return "", err
	}
	return s.MemoryStore.Save(ctx, name, data, version)
}

// add makes the objects of one kind, and returns them as YAML.
func (tr *truth) add(all apiTypes, document string) string {
	tr.Helper()
	object := map[string]any{}
	if err := yaml.Unmarshal([]byte(document), &object); err != nil {
		tr.Fatalf("%v\n%s", err, document)
	}
	gvk := schema.FromAPIVersionAndKind(object["apiVersion"].(string), object["kind"].(string))
	gvr, _ := meta.UnsafeGuessKindToResource(gvk)
	k := &driftKind{kind: gvk.Kind, gvk: gvk, gvr: gvr}
	metadata := object["metadata"].(map[string]any)
	labels := metadata["labels"].(map[string]any)
	labels["applyset.kubernetes.io/part-of"], labels["strata.dev/layer"] = tr.id(), "plain"
	k.places = all.places(object, all.kind(tr.T, gvk))
	namespace, _ := metadata["namespace"].(string)
	var text strings.Builder
	for n := range max(least, len(k.places)/placesEach) {
		o := &driftObject{driftKind: k, namespace: namespace, name: fmt.Sprintf("truth-%d", n)}
		tr.objects = append(tr.objects, o)
		text.WriteString("---\n" + strings.Replace(document, "name: truth,", "name: "+o.name+",", 1))
	}
	tr.kinds = append(tr.kinds, k)
	return text.String()
}

// plan decides which edits there are: of each place each deed, by one verb, or
// by all if it may take long.
func (k *driftKind) plan(random *rand.Rand, long bool) {
	for _, p := range k.places {
		byDeed := map[string][]edit{}
		for _, e := range p.edits() {
			byDeed[e.deed] = append(byDeed[e.deed], e)
		}
		for _, deed := range slices.Sorted(maps.Keys(byDeed)) {
			edits := byDeed[deed]
			if !long {
				edits = []edit{edits[random.IntN(len(edits))]}
			}
			k.todo = append(k.todo, edits...)
		}
	}
	random.Shuffle(len(k.todo), func(i, j int) { k.todo[i], k.todo[j] = k.todo[j], k.todo[i] })
	k.all = len(k.todo)
}

// look reads all objects.
func (tr *truth) look() {
	tr.Helper()
	found := map[string]map[string]any{}
	for _, k := range tr.kinds {
		list, err := tr.dynamic.Resource(k.gvr).List(tr.ctx, metav1.ListOptions{})
		if err != nil {
			tr.Fatal(err)
		}
		for _, o := range list.Items {
			if strings.HasPrefix(o.GetName(), "truth-") {
				found[k.kind+" "+o.GetName()] = o.Object
			}
		}
	}
	for _, o := range tr.objects {
		if o.live = found[o.String()]; o.live == nil {
			tr.Fatalf("%s is not there", o)
		}
	}
}

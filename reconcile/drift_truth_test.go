package reconcile_test

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/strata-go/strata/reconcile"
	"github.com/strata-go/strata/reconcile/reconciletest"
)

// edit has every object edited by somebody, each in one place.
func (tr *truth) edit() {
	tr.Helper()
	g, ctx := errgroup.WithContext(tr.ctx)
	g.SetLimit(8)
	for _, o := range tr.objects {
		g.Go(func() error { return tr.editOne(ctx, o) })
	}
	if err := g.Wait(); err != nil {
		tr.Fatal(err)
	}
}

// editOne does the next edit that the API server takes.
func (tr *truth) editOne(ctx context.Context, o *driftObject) error {
	for {
		tr.mu.Lock()
		if len(o.todo) == 0 {
			tr.mu.Unlock()
			return nil
		}
		e := o.todo[0]
		o.todo = o.todo[1:]
		tr.mu.Unlock()
		err := tr.do(ctx, o, e, tr.round)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		tr.mu.Lock()
		if err == nil {
			tr.done[e.deed]++
			o.wasTaken = append(o.wasTaken, fmt.Sprintf("%d: %s %s %s", tr.round, e.verb, e.deed, e))
			tr.mu.Unlock()
			return nil
		}
		tr.refused[o.kind+": "+reason(err)]++
		tr.mu.Unlock()
		if os.Getenv("STRATA_TEST_LONG") != "" {
			tr.Logf("refused: %s %s %s %s: %v", o.kind, e.verb, e.deed, e, err)
		}
	}
}

// reason returns the text of an error without what is of one object only.
func reason(err error) string {
	text := regexp.MustCompile(`"[^"]*"|\[\d+\]|[{\[].*[}\]]`).ReplaceAllString(err.Error(), "…")
	if i := strings.LastIndex(text, ": "); i > 0 {
		text = text[i+2:]
	}
	return text[:min(len(text), 80)]
}

// judge finds out what drifted: what is not any more as we made it, of what we set.
func (tr *truth) judge() {
	for _, o := range tr.objects {
		o.drifted = nil
		for _, p := range o.places {
			if p.held() && p.at(o.live) != p.at(o.first) {
				o.drifted = append(o.drifted, p.String())
			}
		}
	}
}

// under reports whether a field is another one or in it.
func under(field, above string) bool {
	rest, ok := strings.CutPrefix(field, above)
	return ok && (rest == "" || rest[0] == '.' || rest[0] == '[')
}

// found checks what is said to have drifted.
func (tr *truth) found(all []reconcile.Drift) {
	tr.Helper()
	said := map[string][]reconcile.Drift{}
	for _, d := range all {
		said[d.Object.Kind+" "+d.Object.Name] = append(said[d.Object.Kind+" "+d.Object.Name], d)
	}
	for _, o := range tr.objects {
		for _, problem := range o.compare(said[o.String()], tr.manager()) {
			tr.Errorf("round %d: %s: %s; what was done: %q", tr.round, o, problem, o.wasTaken)
		}
	}
}

// compare compares what is said of an object with what is so.
func (o *driftObject) compare(said []reconcile.Drift, manager string) (problems []string) {
	for _, field := range o.drifted {
		if !slices.ContainsFunc(said, func(d reconcile.Drift) bool { return under(field, d.Field) || under(d.Field, field) }) {
			problems = append(problems, field+" drifted, and that was not found")
		}
	}
	for _, d := range said {
		inDrift := slices.ContainsFunc(o.drifted, func(field string) bool { return under(d.Field, field) || under(field, d.Field) })
		for _, p := range o.places { // of what was found as a whole all has drifted
			inDrift = inDrift && (!p.held() || !under(p.String(), d.Field) || slices.Contains(o.drifted, p.String()))
		}
		if !inDrift {
			problems = append(problems, fmt.Sprintf("%s is said to have drifted; in truth %q did", d, o.drifted))
		}
		if d.Manager != manager && (d.New != "" || d.Manager != "") {
			problems = append(problems, fmt.Sprintf("%s is said to be the doing of %q", d, d.Manager))
		}
		for _, p := range o.places {
			if p.String() == d.Field && o.kind != "Secret" && p.held() && (d.Old != p.at(o.first) || d.New != p.at(o.live)) {
				problems = append(problems, fmt.Sprintf("%s; in truth from %s to %s", d, p.at(o.first), p.at(o.live)))
			}
		}
	}
	return problems
}

// ours returns what the API server says that we hold of an object.
func ours(object map[string]any) string {
	for _, e := range (&unstructured.Unstructured{Object: object}).GetManagedFields() {
		if e.Manager == "strata" {
			return string(e.FieldsV1.GetRawBytes())
		}
	}
	return ""
}

// written checks that only what drifted was written to, or what somebody took
// fields of without changing them.
func (tr *truth) written(writes reconciletest.Requests) {
	tr.Helper()
	drifted := map[string]*driftObject{}
	for _, o := range tr.objects {
		drifted[o.gvr.Resource+"/"+o.name] = o
	}
	for _, w := range writes {
		parts := strings.Split(w.Path, "/")
		if o := drifted[strings.Join(parts[len(parts)-2:], "/")]; o == nil || len(o.drifted) == 0 && ours(o.live) == ours(o.first) {
			tr.Errorf("round %d: %v is written, and did not drift; what was done: %q", tr.round, w, o.wasTaken)
		}
	}
}

// repaired checks that all is as we made it.
func (tr *truth) repaired() {
	tr.Helper()
	for _, o := range tr.objects {
		for _, p := range o.places {
			if got, want := p.at(o.live), p.at(o.first); p.held() && got != want {
				tr.Errorf("round %d: %s %s is %s, want %s; what was done: %q", tr.round, o, p, got, want, o.wasTaken)
			}
		}
	}
}

// Somebody changes, removes and adds to every field of what we applied, in every
// way that the API has. What is not as we set it is found exactly, and nothing
// else is, and only that is written to. STRATA_TEST_SEED repeats a choice, and
// STRATA_TEST_LONG takes all.
func TestE2EDriftIsFoundExactly(t *testing.T) {
	tr := &truth{life: newLife(t, "truth"), done: map[string]int{}, refused: map[string]int{}}
	seed, long, rounds := seedOf(t), os.Getenv("STRATA_TEST_LONG") != "", 4
	if long {
		rounds = 1000
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		tr.ctx = ctx
	}
	types := tr.apiTypes()
	text := "{apiVersion: v1, kind: Namespace, metadata: {name: truth}}\n---\n{apiVersion: v1, kind: Namespace, metadata: {name: truth-bounds}}\n"
	for document := range strings.SplitSeq(driftObjects, "---\n") {
		text += tr.add(types, document)
	}
	random, pairs := rand.New(rand.NewPCG(seed, 0)), 0
	for _, k := range tr.kinds {
		k.plan(random, long)
		pairs += k.all
	}
	d := manifests(t, text)
	tr.engine.Store = new(forgetfulStore)
	tr.engine.Force = []reconcile.ForceRule{{}}
	tr.converge(d)
	tr.look()
	for _, o := range tr.objects {
		o.first = runtime.DeepCopyJSON(o.live)
	}
	for tr.round = 0; tr.round < rounds && tr.left() > 0 && tr.ctx.Err() == nil; tr.round++ {
		tr.edit()
		tr.look()
		tr.judge()
		tr.rec.take()
		result := tr.converge(d)
		_, writes := tr.rec.take()
		tr.found(result.Drift)
		tr.written(writes)
		tr.look()
		tr.repaired()
	}
	tr.sum(seed, pairs)
	tr.removes()
}

func (tr *truth) left() (n int) {
	for _, k := range tr.kinds {
		n += len(k.todo)
	}
	return n
}

// sum says what was done, and checks that it is enough.
func (tr *truth) sum(seed uint64, pairs int) {
	tr.Helper()
	done, refused := 0, 0
	for _, n := range tr.done {
		done += n
	}
	for _, why := range slices.Sorted(maps.Keys(tr.refused)) {
		refused += tr.refused[why]
		tr.Logf("refused %d times by the API server: %s", tr.refused[why], why)
	}
	tr.Logf("seed %d: %d objects of %d kinds; of %d edits %d were made %v in %d rounds, %d refused", seed, len(tr.objects), len(tr.kinds), pairs, done, tr.done, tr.round, refused)
	if len(tr.objects) < 200 || len(tr.kinds) < 20 {
		tr.Error("that is too few")
	}
	if done < 2*refused {
		tr.Error("the API server refuses too much of it")
	}
}

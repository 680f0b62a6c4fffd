package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/strata-go/strata/profile"
	"github.com/strata-go/strata/reconcile"
	"github.com/strata-go/strata/reconcile/bom"
)

// want makes the stack of these profiles the one that the cluster shall run.
// What was pinned stays so, as far as the profiles still ask for the same.
func (l *life) want(ctx context.Context, names ...string) error {
	profiles, err := load(names...)
	if err != nil {
		return err
	}
	stack, err := profile.Compose(profiles...)
	if err != nil {
		return err
	}
	stack.Variables = map[string]string{"token": l.token}
	stack.System = map[string]string{"cluster.name": name}

	var before profile.Lock
	if l.desired != nil {
		before = *l.desired.Lock()
	}
	l.desired, err = stack.Resolve(ctx, l.registry, &before)
	if err != nil {
		return err
	}
	l.printf("The stack is %s.", join(l.desired.Profiles()))
	l.print(newPins(&before, l.desired.Lock()))
	return nil
}

// newPins is a table of what a lock pins and the one before does not.
// Lock.Format writes the whole lock, to be kept beside the profiles.
func newPins(before, now *profile.Lock) string {
	pins := slices.DeleteFunc(slices.Clone(now.Layers), func(pin profile.LockedLayer) bool {
		return slices.Contains(before.Layers, pin)
	})
	if len(pins) == 0 {
		return "All of it was pinned before.\n"
	}
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "PINNED LAYER\tCONSTRAINT\tVERSION\tDIGEST")
	for _, pin := range pins {
		fmt.Fprintf(w, "%s\t%s\t%s\t%.12s\n", pin.Layer, pin.Version, pin.Resolved, pin.Digest.Encoded())
	}
	w.Flush()
	return b.String()
}

func (l *life) resolve(ctx context.Context) error { return l.want(ctx, "cluster-1.0.0", "apps-1.0.0") }

// install makes the cluster what the stack says, and shows how it gets on.
func (l *life) install(ctx context.Context) error {
	l.touched = true
	began := time.Now()
	l.layers = layerClock{}
	result, err := l.reconciler.Converge(ctx, l.target, l.desired)
	if err != nil {
		return err
	}
	l.printf("")
	l.summarize(result, time.Since(began))
	return nil
}

func (l *life) look(ctx context.Context) error {
	status, err := l.reconciler.Status(ctx, l.target)
	if err != nil {
		return err
	}
	l.print(status.String())
	l.printf("")
	l.print(status.Picture())
	return l.write(status)
}

// write keeps the status in files, in the forms that programs and browsers read.
func (l *life) write(status *reconcile.Status) error {
	folder := l.folder
	if folder == "" {
		var err error
		if folder, err = os.MkdirTemp("", "quickstart-"); err != nil {
			return err
		}
	} else if err := os.MkdirAll(folder, 0o750); err != nil {
		return err
	}
	data, err := json.MarshalIndent(status, "", "  ")
	if err != nil {
		return err
	}
	bill, err := bom.Encode(status, bom.Details{})
	if err != nil {
		return err
	}
	l.printf("\nThe same in files:")
	for _, file := range []struct {
		name, what string
		data       []byte
	}{
		{"status.svg", "the picture, for a browser or a README", []byte(status.SVG())},
		{"status.txt", "all of it as text", []byte(status.Details())},
		{"status.json", "all of it for programs", data},
		{"bom.json", "a bill of materials (CycloneDX)", bill},
	} {
		path := filepath.Join(folder, file.name)
		if err := os.WriteFile(path, file.data, 0o600); err != nil {
			return err
		}
		l.printf("%-*s  %s", len(folder)+len("/status.json"), path, file.what)
	}
	return nil
}

func (l *life) again(ctx context.Context) error {
	began := time.Now()
	result, err := l.reconciler.Reconcile(ctx, l.target, l.desired)
	if err != nil {
		return err
	}
	l.summarize(result, time.Since(began))
	return nil
}

func (l *life) repair(ctx context.Context) error {
	l.printf("$ kubectl edit deployment hello    # replicas: 5")
	if err := l.kubectl.scale(ctx, "quickstart", "hello", 5); err != nil {
		return err
	}
	l.printf("$ kubectl delete service hello")
	if err := l.kubectl.deleteService(ctx, "quickstart", "hello"); err != nil {
		return err
	}
	status, err := l.reconciler.Status(ctx, l.target)
	if err != nil {
		return err
	}
	l.printf("\nThe status:")
	for _, one := range status.Layers {
		for _, o := range one.Objects {
			if o.Health != reconcile.Ready {
				l.printf("%s  %s  %s  %s", one.Name, o.Health, o, o.Message)
			}
		}
	}
	return l.change(ctx)
}

func (l *life) upgrade(ctx context.Context) error {
	if err := l.want(ctx, "cluster-1.0.0", "apps-1.1.0"); err != nil {
		return err
	}
	return l.change(ctx)
}

func (l *life) swap(ctx context.Context) error {
	if err := l.want(ctx, "cluster-1.1.0", "apps-1.1.0"); err != nil {
		return err
	}
	return l.change(ctx)
}

func (l *life) remove(ctx context.Context) error {
	if err := l.want(ctx, "cluster-1.1.0", "apps-2.0.0"); err != nil {
		return err
	}
	return l.change(ctx)
}

// change shows the plan of what leads to the stack, and carries it out.
func (l *life) change(ctx context.Context) error {
	plan, err := l.reconciler.Plan(ctx, l.target, l.desired)
	if err != nil {
		return err
	}
	l.printf("\nThe plan:")
	l.print(plan.String())
	l.printf("")
	return l.install(ctx)
}

// rollBack brings the layer back. The state that it goes to is kept on the
// cluster, and looks no version up.
func (l *life) rollBack(ctx context.Context) error {
	states, err := l.reconciler.History(ctx, l.target)
	if err != nil {
		return err
	}
	for _, s := range states {
		l.printf("%s  %.12s  %s", s.Ready.Format(time.TimeOnly), s.Digest.Encoded(), join(s.Profiles))
	}
	plan, err := l.reconciler.PlanRollback(ctx, l.target, "")
	if err != nil {
		return err
	}
	l.printf("\nThe plan:")
	l.print(plan.String())
	l.printf("")
	began := time.Now()
	l.layers = layerClock{}
	result, err := l.reconciler.RollbackAndWait(ctx, l.target, "")
	if err != nil {
		return err
	}
	l.printf("")
	l.summarize(result, time.Since(began))
	return nil
}

func (l *life) delete(ctx context.Context) error {
	status, err := l.reconciler.Status(ctx, l.target)
	if err != nil {
		return err
	}
	label := l.target.Selector()
	began := time.Now()
	l.layers = layerClock{}
	result, err := l.reconciler.DeleteAndWait(ctx, l.target)
	if err != nil {
		return err
	}
	l.printf("")
	l.summarize(result, time.Since(began))

	kinds := kindsOf(status)
	left, err := l.kubectl.labelled(ctx, kinds, label)
	if err != nil {
		return err
	}
	l.printf("Everything that was installed had the label\n%s.", label)
	l.printf("Of the %d kinds that there were, %d objects with it are left.", len(kinds), len(left))
	if len(left) > 0 {
		return fmt.Errorf("left on the cluster: %s", strings.Join(left, ", "))
	}
	l.touched = false
	return nil
}

// leave says how to look at what is there and, if the cluster is ours, keeps it
// until it is interrupted.
func (l *life) leave(ctx context.Context) error {
	file := l.kubeconfig
	if l.cluster != nil {
		f, err := os.CreateTemp("", "quickstart-*.kubeconfig")
		if err != nil {
			return err
		}
		defer func() { _ = os.Remove(f.Name()) }()
		if _, err := f.Write(l.cluster.Kubeconfig); err != nil {
			return err
		}
		if err := f.Close(); err != nil {
			return err
		}
		file = f.Name()
	}
	l.printf("export KUBECONFIG=%s", file)
	l.printf("kubectl get all --all-namespaces --selector strata.dev/layer")
	l.printf("helm list --all-namespaces")
	if l.cluster != nil {
		l.printf("\nThe cluster is there until you press Ctrl-C.")
		<-ctx.Done()
	}
	return nil
}

func join(ids []profile.ID) string {
	texts := make([]string, len(ids))
	for i, id := range ids {
		texts[i] = id.String()
	}
	return strings.Join(texts, " + ")
}

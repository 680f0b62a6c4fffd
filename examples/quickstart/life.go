package main

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/strata-go/strata/profile"
	"github.com/strata-go/strata/reconcile"
	"github.com/strata-go/strata/reconcile/reconciletest"
	"github.com/strata-go/strata/registry"
	"github.com/strata-go/strata/registry/registrytest"
)

// A life is one run of this program: what it was told, what it works with, and
// how far it has got.
type life struct {
	out                 io.Writer
	kubeconfig, context string // of the user's cluster; "" for one of our own
	keep                bool
	folder              string // for the picture and the like; "" for a temporary one

	cluster  *reconciletest.Cluster // nil if it is the user's
	server   *registrytest.Server
	registry *registry.Client
	kubectl  *kubectl // somebody else, who does not know of Strata

	reconciler *reconcile.Reconciler
	target     reconcile.Target
	layers     layerClock
	touched    bool // there may be something of ours on the cluster

	token   string           // a variable of the stack
	desired *profile.Desired // what the cluster shall run
	last    *reconcile.Result
}

// A step is one thing that happens.
type step struct {
	title string
	calls string // of the library, that do it
	do    func(context.Context) error
}

func (l *life) steps() []step {
	prepare := "registry.Client.PushPack, PushChart"
	if l.kubeconfig == "" {
		prepare = "reconciletest.StartControlPlane, " + prepare
	}
	end := step{"Delete everything, from the top of the stack down", "Reconciler.DeleteAndWait", l.delete}
	if l.keep {
		end = step{"Leave everything in place", "nothing more is called", l.leave}
	}
	return []step{
		{"Prepare a cluster and a registry", prepare, l.setUp},
		{"Compose a stack of two profiles, and pin it", "profile.Compose, Stack.Resolve", l.resolve},
		{"Install the stack", "Reconciler.Converge", l.install},
		{"Look at it", "Reconciler.Status, Status.SVG, bom.Encode", l.look},
		{"Reconcile again: there is nothing to do", "Reconciler.Reconcile", l.again},
		{"Repair what somebody changed by hand", "Reconciler.Status, Plan, Converge", l.repair},
		{"Upgrade a layer", "Stack.Resolve, Reconciler.Plan, Converge", l.upgrade},
		{"Swap the storage layer for another", "Stack.Resolve, Reconciler.Plan, Converge", l.swap},
		{"Remove a layer", "Stack.Resolve, Reconciler.Plan, Converge", l.remove},
		{"Go back to the state before", "Reconciler.History, PlanRollback, RollbackAndWait", l.rollBack},
		end,
	}
}

// printf prints a line, indented below the heading of the step.
func (l *life) printf(format string, args ...any) { l.print(fmt.Sprintf(format, args...) + "\n") }

// print prints text of several lines in the same way.
func (l *life) print(text string) {
	for line := range strings.Lines(text) {
		line = strings.TrimRight("  "+line, " \n")
		fmt.Fprintln(l.out, line)
	}
}

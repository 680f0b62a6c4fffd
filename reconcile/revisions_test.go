package reconcile

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/strata-go/strata/internal/helm"
	"github.com/strata-go/strata/internal/inventory"
	"github.com/strata-go/strata/internal/manifest"
)

// past makes a history: "deployed" is a revision of another tool, "deployed/x"
// one of ours, of the installation "us", with the content x.
func past(revisions ...string) history {
	var list []metav1.PartialObjectMetadata
	for i, r := range revisions {
		var m metav1.PartialObjectMetadata
		m.Labels = map[string]string{"version": fmt.Sprint(i + 1), "status": r}
		for j := range r {
			if r[j] == '/' {
				m.Labels["status"], m.Labels[inventory.PartOf] = r[:j], "us"
				m.Annotations = map[string]string{contentAnnotation: r[j+1:]}
			}
		}
		list = append(list, m)
	}
	return historyOf(list)
}

func TestStand(t *testing.T) {
	at := func(revision int) *inventory.Release { return &inventory.Release{Revision: revision} }
	taken := past("deployed/x")
	taken[0].owner = "them"
	copied := past("superseded/x", "superseded/y", "deployed")
	copied[2].owner = "us" // as Helm's rollback does with labels
	for name, tt := range map[string]struct {
		was  *inventory.Release
		h    history
		want standing
	}{
		"nothing":                                  {nil, nil, agreed},
		"another tool's":                           {nil, past("deployed"), foreign},
		"another installation's":                   {nil, taken, foreign},
		"ours under way":                           {nil, past("pending-install/x"), agreed},
		"ours under way, of another content":       {nil, past("pending-install/y"), agreed},
		"ours failed at first":                     {nil, past("failed/y"), agreed},
		"ours recorded, and the inventory not":     {nil, past("deployed/x"), agreed},
		"ours, and the inventory lost":             {nil, past("superseded/y", "deployed/z"), disturbed},
		"ours again after it was uninstalled":      {nil, append(past("superseded/y", "uninstalled"), past("", "", "pending-install/x")[2:]...), agreed},
		"as it was":                                {at(2), past("superseded/y", "deployed/x"), agreed},
		"being upgraded":                           {at(1), past("deployed/y", "pending-upgrade/x"), agreed},
		"failed":                                   {at(1), past("deployed/y", "failed/x"), agreed},
		"adopted, and not yet upgraded":            {at(1), past("deployed"), agreed},
		"rolled back":                              {at(2), past("superseded", "superseded", "deployed"), disturbed},
		"rolled back, with our labels":             {at(2), copied, disturbed},
		"failed by another tool":                   {at(1), past("deployed/x", "failed"), disturbed},
		"stuck":                                    {at(1), past("deployed/x", "pending-upgrade"), disturbed},
		"its newest record deleted":                {at(3), past("superseded/y", "deployed/x"), disturbed},
		"uninstalled":                              {at(2), nil, vanished},
		"uninstalled, with history":                {at(2), past("superseded/y", "uninstalled"), vanished},
		"being uninstalled, and wanted once again": {at(2), past("superseded/y", "uninstalling/x"), vanished},
	} {
		if got := stand(tt.was, tt.h, "x", "us"); got != tt.want {
			t.Errorf("%s: %d, want %d", name, got, tt.want)
		}
	}
}

func TestHistoryOpen(t *testing.T) {
	for status, want := range map[string]bool{
		"pending-install/x": true, "pending-upgrade/x": true, "deployed/x": true, "failed/x": true,
		"superseded/x": false, "uninstalling/x": false, "deployed/y": false, "deployed": false,
	} {
		if got := past("deployed/x", status).open("x") != nil; got != want {
			t.Errorf("%s: %v, want %v", status, got, want)
		}
	}
}

func TestHistoryExcess(t *testing.T) {
	h := past("superseded", "failed", "superseded/x", "superseded/y")
	for name, tt := range map[string]struct{ deployed, limit, want int }{
		"all":              {5, -1, 0},
		"room for one":     {5, 6, 0},
		"just as many":     {5, 5, 0},
		"one too many":     {5, 4, 1},
		"but the deployed": {5, 1, 4},
		"deployed in h":    {4, 2, 2},
	} {
		got := h.excess(tt.deployed, tt.limit)
		if len(got) != tt.want || tt.want > 0 && got[0].number != 1 {
			t.Errorf("%s: %v, want the first %d", name, got, tt.want)
		}
	}
}

func TestHistoryBusy(t *testing.T) {
	now := time.Unix(1_800_000_000, 0)
	for name, tt := range map[string]struct {
		h    history
		age  time.Duration
		want bool
	}{
		"another tool at work":    {past("deployed", "pending-upgrade"), time.Minute, true},
		"another tool that died":  {past("deployed", "pending-upgrade"), time.Hour, false},
		"ourselves":               {past("pending-install/x"), time.Minute, false},
		"an old one in between":   {past("pending-install", "deployed"), time.Minute, false},
		"nobody":                  {nil, 0, false},
		"a rollback is like this": {past("deployed/x", "pending-rollback"), 0, true},
	} {
		for i := range tt.h {
			tt.h[i].written = now.Add(-tt.age)
		}
		err := tt.h.busy("app", now)
		e, ok := errors.AsType[*PendingError](err)
		if ok != tt.want || ok && (e.Revision != 2 || !retryable(err)) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if helm.StatusUninstalling.Pending() {
		t.Error("an uninstallation is taken for an operation to wait for")
	}
}

// Helm sorts hooks by weight and then by name; kinds only tell apart what has
// the same name.
func TestHooksOf(t *testing.T) {
	hook := func(kind, name string, weight int, events ...helm.Event) helm.Hook {
		o := &unstructured.Unstructured{Object: map[string]any{"kind": kind}}
		o.SetName(name)
		return helm.Hook{Object: manifest.Object{Unstructured: o}, Weight: weight, Events: events}
	}
	all := []helm.Hook{ // in Helm's order of kinds, as a chart gives them
		hook("ServiceAccount", "b", 0, helm.PreInstall),
		hook("ConfigMap", "z", -1, helm.PreInstall, helm.PreUpgrade),
		hook("ConfigMap", "b", 0, helm.PreInstall),
		hook("Job", "a", 0, helm.PreInstall),
		hook("Job", "first", -5, helm.PostInstall),
		hook("Job", "last", 10, helm.PreInstall),
	}
	var got []string
	for _, h := range hooksOf(all, helm.PreInstall) {
		got = append(got, h.Object.GetKind()+" "+h.Object.GetName())
	}
	want := []string{"ConfigMap z", "Job a", "ServiceAccount b", "ConfigMap b", "Job last"}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

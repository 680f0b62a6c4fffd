package helm

import (
	"fmt"
	"strconv"
	"time"

	"helm.sh/helm/v3/pkg/chart"
	"helm.sh/helm/v3/pkg/release"
	helmtime "helm.sh/helm/v3/pkg/time"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// A Status is the state of a revision of a release, in Helm's words.
type Status string

// The statuses.
const (
	StatusDeployed        Status = "deployed"
	StatusSuperseded      Status = "superseded" // a later revision is deployed
	StatusFailed          Status = "failed"
	StatusPendingInstall  Status = "pending-install"
	StatusPendingUpgrade  Status = "pending-upgrade"
	StatusPendingRollback Status = "pending-rollback"
	StatusUninstalling    Status = "uninstalling"
	StatusUninstalled     Status = "uninstalled" // kept for its history
)

// Pending reports whether an operation is, or was left, under way.
func (s Status) Pending() bool { return release.Status(s).IsPending() }

// A Record is one revision of a release, as Helm keeps it in a Secret.
type Record struct {
	Name      string
	Namespace string // of the release, and of the Secret
	Revision  int    // counted from 1
	Status    Status
	// Chart is what was installed. A record keeps the metadata and the default
	// values of the chart, and not its files and subcharts, so that it stays small.
	Chart       *Chart
	Values      map[string]any // of the user, not of the chart
	Manifest    string
	Hooks       []Hook // those for tests included
	Notes       string
	Description string // of what happened last, for people
	// FirstDeployed is when revision 1 was installed, LastDeployed when this one was.
	FirstDeployed, LastDeployed time.Time
}

// SecretName returns the name of the Secret that keeps a revision of a release.
func SecretName(release string, revision int) string {
	return fmt.Sprintf("sh.helm.release.v1.%s.v%d", release, revision)
}

// Secret returns the Secret as Helm's own storage writes it. The time is that
// of the writing. Where a Secret cannot hold all of it, the description says
// what is left out: see [Description].
func (r Record) Secret(now time.Time) (*unstructured.Unstructured, error) {
	payload, err := fit(r.release())
	if err != nil {
		return nil, fmt.Errorf("writing record of release %s: %w", r.Name, err)
	}
	secret := &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "v1",
		"kind":       "Secret",
		"metadata": map[string]any{
			"name":      SecretName(r.Name, r.Revision),
			"namespace": r.Namespace,
			"labels": map[string]any{
				"name":       r.Name,
				"owner":      "helm",
				"status":     string(r.Status),
				"version":    strconv.Itoa(r.Revision),
				"modifiedAt": strconv.FormatInt(now.Unix(), 10),
			},
		},
		"type": secretType,
	}}
	setPayload(secret, payload)
	return secret, nil
}

func (r Record) release() *release.Release {
	rel := &release.Release{
		Name:      r.Name,
		Namespace: r.Namespace,
		Version:   r.Revision,
		Config:    r.Values,
		Manifest:  r.Manifest,
		Chart:     &chart.Chart{Metadata: r.Chart.root.Metadata, Values: r.Chart.root.Values},
		Info: &release.Info{
			FirstDeployed: helmtime.Time{Time: r.FirstDeployed},
			LastDeployed:  helmtime.Time{Time: r.LastDeployed},
			Status:        release.Status(r.Status),
			Description:   r.Description,
			Notes:         r.Notes,
		},
	}
	for _, h := range r.Hooks {
		rel.Hooks = append(rel.Hooks, h.release())
	}
	return rel
}

func (h Hook) release() *release.Hook {
	out := &release.Hook{
		Name:     h.Object.GetName(),
		Kind:     h.Object.GetKind(),
		Path:     h.Object.Source,
		Manifest: h.Manifest,
		Weight:   h.Weight,
	}
	for _, e := range h.Events {
		out.Events = append(out.Events, release.HookEvent(e))
	}
	for _, p := range h.DeletePolicies {
		out.DeletePolicies = append(out.DeletePolicies, release.HookDeletePolicy(p))
	}
	for _, p := range h.LogPolicies {
		out.OutputLogPolicies = append(out.OutputLogPolicies, release.HookOutputLogPolicy(p))
	}
	return out
}

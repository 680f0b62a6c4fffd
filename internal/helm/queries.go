package helm

import (
	"maps"
	"slices"
	"strings"

	"helm.sh/helm/v3/pkg/chartutil"
)

// Queries are what templates look at of the [Capabilities]. Where a text does
// not tell, more is taken for looked at than is. Of Kubernetes' own groups the
// version tells what is served, so that nobody needs to ask.
type Queries struct {
	// KubeVersion says that they look at the version of Kubernetes.
	KubeVersion bool `json:"kubeVersion,omitempty"`
	// AllAPIs says that they look at the list of what the cluster serves.
	AllAPIs bool `json:"allAPIs,omitempty"`
	// APIs are those of other groups of which they ask whether the cluster serves
	// them.
	APIs []string `json:"apis,omitempty"` // sorted
}

// look notes what a path of fields leads to.
func (q *Queries) look(path []string) {
	for i, name := range path {
		next := ""
		if i+1 < len(path) {
			next = path[i+1]
		}
		switch name {
		case "KubeVersion":
			q.KubeVersion = true
		case "APIVersions":
			q.AllAPIs = q.AllAPIs || next != "Has"
		case "Capabilities":
			if next == "" {
				q.KubeVersion, q.AllAPIs = true, true
			}
		}
	}
}

// ask notes that a template asks for an API.
func (q *Queries) ask(api string) {
	group, _, found := strings.Cut(api, "/")
	own := func(gv string) bool { return strings.HasPrefix(gv, group+"/") }
	if !found || slices.ContainsFunc(chartutil.DefaultVersionSet, own) || group == "v1" {
		q.KubeVersion = true
		return
	}
	if i, found := slices.BinarySearch(q.APIs, api); !found {
		q.APIs = slices.Insert(q.APIs, i, api)
	}
}

func (q *Queries) merge(o Queries) {
	q.KubeVersion = q.KubeVersion || o.KubeVersion
	q.AllAPIs = q.AllAPIs || o.AllAPIs
	if len(o.APIs) > 0 {
		q.APIs = slices.Compact(slices.Sorted(slices.Values(slices.Concat(q.APIs, o.APIs))))
	}
}

// Merge returns the queries of both.
func (q Queries) Merge(o Queries) Queries {
	q.APIs = slices.Clone(q.APIs)
	q.merge(o)
	return q
}

// Kinds reports whether it takes the list of what the cluster serves to answer.
func (q Queries) Kinds() bool { return q.AllAPIs || len(q.APIs) > 0 }

// Answers returns what the cluster answers: the version and the APIs that are
// looked at. It is the same for two clusters that templates cannot tell apart.
func (q Queries) Answers(c Capabilities) []string {
	var answers []string
	if q.KubeVersion {
		answers = append(answers, c.KubeVersion)
	}
	served := make(map[string]bool, len(c.APIVersions))
	for _, api := range c.APIVersions {
		served[api] = true
	}
	if q.AllAPIs {
		return append(answers, slices.Sorted(maps.Keys(served))...)
	}
	for _, api := range q.APIs {
		if served[api] {
			answers = append(answers, api)
		}
	}
	return answers
}

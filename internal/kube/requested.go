package kube

import (
	"net/http"
	"strings"
)

// requested returns the verb of a request, as RBAC has it, and the resource
// with its group and subresource: "deployments.apps/status". Applying is
// "apply", and what changes nothing is "dryrun". The resource of discovery and
// the like is empty. base is the path of the server.
func requested(r *http.Request, base string) (verb, resource string) {
	path := strings.Split(strings.Trim(strings.TrimPrefix(r.URL.Path, base), "/"), "/")
	group := ""
	switch {
	case path[0] == "api" && len(path) > 2:
		path = path[2:]
	case path[0] == "apis" && len(path) > 3:
		group, path = "."+path[1], path[3:]
	default:
		return strings.ToLower(r.Method), ""
	}
	if path[0] == "namespaces" && len(path) > 2 && path[2] != "status" && path[2] != "finalize" {
		path = path[2:]
	}
	resource = path[0] + group
	if len(path) > 2 {
		resource += "/" + path[2]
	}
	return verbOf(r, len(path) > 1), resource
}

// verbOf returns the verb of a request for one named object, or for many.
func verbOf(r *http.Request, named bool) string {
	query := r.URL.Query()
	switch {
	case query.Get("dryRun") != "":
		return "dryrun"
	case r.Method == http.MethodGet && query.Get("watch") != "":
		return "watch"
	case r.Method == http.MethodGet && named:
		return "get"
	case r.Method == http.MethodGet:
		return "list"
	case r.Method == http.MethodPost:
		return "create"
	case r.Method == http.MethodPut:
		return "update"
	case r.Method == http.MethodDelete && !named:
		return "deletecollection"
	case r.Header.Get("Content-Type") == "application/apply-patch+yaml":
		return "apply"
	default:
		return strings.ToLower(r.Method)
	}
}

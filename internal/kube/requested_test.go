package kube

import (
	"net/http"
	"testing"
)

func TestRequested(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ method, path, content, base, verb, resource string }{
		{"GET", "/api", "", "", "get", ""},
		{"GET", "/apis/apps/v1", "", "", "get", ""},
		{"GET", "/version", "", "", "get", ""},
		{"GET", "/", "", "", "get", ""},
		{"GET", "/api/v1/namespaces", "", "", "list", "namespaces"},
		{"GET", "/api/v1/namespaces/a", "", "", "get", "namespaces"},
		{"PUT", "/api/v1/namespaces/a/finalize", "", "", "update", "namespaces/finalize"},
		{"GET", "/api/v1/namespaces/a/configmaps?labelSelector=x", "", "", "list", "configmaps"},
		{"GET", "/api/v1/configmaps?watch=true", "", "", "watch", "configmaps"},
		{"POST", "/api/v1/namespaces/a/configmaps", "", "", "create", "configmaps"},
		{"PATCH", "/apis/apps/v1/namespaces/a/deployments/b", "application/apply-patch+yaml", "", "apply", "deployments.apps"},
		{"PATCH", "/apis/apps/v1/namespaces/a/deployments/b?dryRun=All", "application/apply-patch+yaml", "", "dryrun", "deployments.apps"},
		{"PATCH", "/apis/apps/v1/namespaces/a/deployments/b/status", "application/json-patch+json", "", "patch", "deployments.apps/status"},
		{"DELETE", "/apis/rbac.authorization.k8s.io/v1/clusterroles/b", "", "", "delete", "clusterroles.rbac.authorization.k8s.io"},
		{"DELETE", "/api/v1/namespaces/a/pods", "", "", "deletecollection", "pods"},
		{"GET", "/k8s/api/one/api/v1/nodes", "", "/k8s/api/one", "list", "nodes"},
	} {
		r, err := http.NewRequestWithContext(t.Context(), tt.method, "https://example.com"+tt.path, http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Content-Type", tt.content)
		if verb, resource := requested(r, tt.base); verb != tt.verb || resource != tt.resource {
			t.Errorf("%s %s is %q of %q, want %q of %q", tt.method, tt.path, verb, resource, tt.verb, tt.resource)
		}
	}
}

package apiserver

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"

	apidiscoveryv2 "k8s.io/api/apidiscovery/v2"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/version"
)

const aggregated = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"

func verbs() metav1.Verbs {
	return metav1.Verbs{"create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"}
}

// serveDiscovery answers what is not about objects.
func (s *Server) serveDiscovery(w http.ResponseWriter, r *http.Request) bool {
	path := strings.Trim(r.URL.Path, "/")
	parts := strings.Split(path, "/")
	switch {
	case path == "healthz" || path == "livez" || path == "readyz":
		_, _ = w.Write([]byte("ok")) // the client is gone
	case path == "version":
		respond(w, http.StatusOK, s.info())
	case path == "api" || path == "apis":
		s.serveGroups(w, r, path == "api")
	case len(parts) == 2 && parts[0] == "api":
		return s.serveResources(w, schema.GroupVersion{Version: parts[1]})
	case len(parts) == 3 && parts[0] == "apis":
		return s.serveResources(w, schema.GroupVersion{Group: parts[1], Version: parts[2]})
	case len(parts) == 2 && parts[0] == "apis":
		for _, g := range s.groups() {
			if g.Name == parts[1] {
				g.TypeMeta = metav1.TypeMeta{Kind: "APIGroup", APIVersion: "v1"}
				respond(w, http.StatusOK, g)
				return true
			}
		}
		return false
	default:
		return false
	}
	return true
}

func (s *Server) info() version.Info {
	parts := strings.Split(strings.TrimPrefix(s.version, "v"), ".")
	return version.Info{Major: parts[0], Minor: parts[min(1, len(parts)-1)], GitVersion: s.version, Platform: "linux/amd64"}
}

func (s *Server) serveGroups(w http.ResponseWriter, r *http.Request, legacy bool) {
	if strings.Contains(strings.ReplaceAll(r.Header.Get("Accept"), " ", ""), aggregated) {
		data, err := json.Marshal(s.aggregated(legacy))
		if err != nil {
			s.fail(w, err)
			return
		}
		w.Header().Set("Content-Type", aggregated)
		_, _ = w.Write(data) // the client is gone
		return
	}
	if legacy {
		respond(w, http.StatusOK, metav1.APIVersions{TypeMeta: metav1.TypeMeta{Kind: "APIVersions", APIVersion: "v1"}, Versions: []string{"v1"}})
		return
	}
	groups := slices.DeleteFunc(s.groups(), func(g metav1.APIGroup) bool { return g.Name == "" })
	respond(w, http.StatusOK, metav1.APIGroupList{TypeMeta: metav1.TypeMeta{Kind: "APIGroupList", APIVersion: "v1"}, Groups: groups})
}

// served returns the kinds by group and version, the preferred version first.
func (s *Server) served() []*kind {
	s.mu.Lock()
	defer s.mu.Unlock()
	var kinds []*kind
	for _, k := range s.kinds {
		kinds = append(kinds, k)
	}
	slices.SortFunc(kinds, func(a, b *kind) int {
		if c := strings.Compare(a.Group, b.Group); c != 0 {
			return c
		}
		if c := version.CompareKubeAwareVersionStrings(b.Version, a.Version); c != 0 {
			return c
		}
		return strings.Compare(a.resource, b.resource)
	})
	return kinds
}

func (s *Server) groups() []metav1.APIGroup {
	var groups []metav1.APIGroup
	for _, k := range s.served() {
		v := metav1.GroupVersionForDiscovery{GroupVersion: k.GroupVersion().String(), Version: k.Version}
		if n := len(groups); n == 0 || groups[n-1].Name != k.Group {
			groups = append(groups, metav1.APIGroup{Name: k.Group, PreferredVersion: v})
		}
		g := &groups[len(groups)-1]
		if !slices.Contains(g.Versions, v) {
			g.Versions = append(g.Versions, v)
		}
	}
	return groups
}

func (s *Server) serveResources(w http.ResponseWriter, gv schema.GroupVersion) bool {
	list := metav1.APIResourceList{TypeMeta: metav1.TypeMeta{Kind: "APIResourceList", APIVersion: "v1"}, GroupVersion: gv.String()}
	for _, k := range s.served() {
		if k.GroupVersion() != gv {
			continue
		}
		list.APIResources = append(list.APIResources, metav1.APIResource{Name: k.resource, SingularName: strings.ToLower(k.Kind), Namespaced: k.namespaced, Kind: k.Kind, Verbs: verbs()})
		for _, sub := range k.subresources() {
			list.APIResources = append(list.APIResources, metav1.APIResource{Name: k.resource + "/" + sub.Subresource, Namespaced: k.namespaced, Group: sub.ResponseKind.Group, Version: sub.ResponseKind.Version, Kind: sub.ResponseKind.Kind, Verbs: sub.Verbs})
		}
	}
	if len(list.APIResources) == 0 {
		return false
	}
	respond(w, http.StatusOK, list)
	return true
}

func (k *kind) subresources() []apidiscoveryv2.APISubresourceDiscovery {
	var all []apidiscoveryv2.APISubresourceDiscovery
	add := func(name string, gvk schema.GroupVersionKind) {
		kind := metav1.GroupVersionKind(gvk)
		all = append(all, apidiscoveryv2.APISubresourceDiscovery{Subresource: name, ResponseKind: &kind, Verbs: metav1.Verbs{"get", "patch", "update"}})
	}
	if k.scale {
		add("scale", scaleKind)
	}
	if k.status {
		add("status", k.GroupVersionKind)
	}
	return all
}

func (s *Server) aggregated(legacy bool) apidiscoveryv2.APIGroupDiscoveryList {
	list := apidiscoveryv2.APIGroupDiscoveryList{TypeMeta: metav1.TypeMeta{Kind: "APIGroupDiscoveryList", APIVersion: "apidiscovery.k8s.io/v2"}}
	for _, k := range s.served() {
		if (k.Group == "") != legacy {
			continue
		}
		if n := len(list.Items); n == 0 || list.Items[n-1].Name != k.Group {
			list.Items = append(list.Items, apidiscoveryv2.APIGroupDiscovery{ObjectMeta: metav1.ObjectMeta{Name: k.Group}})
		}
		g := &list.Items[len(list.Items)-1]
		if n := len(g.Versions); n == 0 || g.Versions[n-1].Version != k.Version {
			g.Versions = append(g.Versions, apidiscoveryv2.APIVersionDiscovery{Version: k.Version, Freshness: apidiscoveryv2.DiscoveryFreshnessCurrent})
		}
		v, kind, scope := &g.Versions[len(g.Versions)-1], metav1.GroupVersionKind(k.GroupVersionKind), apidiscoveryv2.ScopeCluster
		if k.namespaced {
			scope = apidiscoveryv2.ScopeNamespace
		}
		v.Resources = append(v.Resources, apidiscoveryv2.APIResourceDiscovery{
			Resource: k.resource, ResponseKind: &kind, Scope: scope, SingularResource: strings.ToLower(k.Kind), Verbs: verbs(), Subresources: k.subresources(),
		})
	}
	return list
}

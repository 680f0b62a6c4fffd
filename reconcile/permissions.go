package reconcile

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/strata-go/strata/internal/inventory"
	"github.com/strata-go/strata/internal/kube"
)

// Permissions are rights on a cluster: what a role must allow.
type Permissions struct {
	// Cluster are rights on the whole cluster: a ClusterRole.
	Cluster []rbacv1.PolicyRule
	// Namespaces are rights in one namespace each: Roles.
	Namespaces map[string][]rbacv1.PolicyRule
}

// Permissions returns the least rights that suffice to carry the plan out, to
// keep the target so, and to delete it again, with the default Store. The
// namespace of the inventory must be there. Ask the plan of a first
// installation: it knows the hooks of all charts.
//
// Kinds are listed and watched on the whole cluster: one list for each tells
// drift. Everything else is allowed in namespaces where the stack has objects.
// As nobody can have a Role in a namespace that is not there, what the plan puts
// into namespaces that it makes is allowed on the whole cluster; make them
// before, and it is not. Three things need more rights than these. Templates that
// look things up must be allowed to. The error of a Job that failed has the end
// of its log only for who can get pods/log. And a namespace is deleted only by who can
// list everything in it, to see that nothing is lost; otherwise it is kept.
func (p *Plan) Permissions() Permissions {
	g := grants{made: p.makes(), verbs: map[string]map[schema.GroupResource]map[string]bool{}}
	for _, o := range p.objects() {
		g.object(o)
	}
	for _, w := range p.spaces {
		g.object(w.record())
	}
	for _, namespace := range p.records() {
		g.add(namespace, secretResource.GroupResource(), "get", "list", "create", "update", "delete")
	}
	for _, l := range p.layers {
		for _, r := range l.releases {
			if r.history.mapped() > 0 {
				g.add(r.Namespace, configMapResource.GroupResource(), "get", "list", "update", "delete")
			}
		}
	}
	return g.permissions()
}

// Objects returns a ClusterRole and Roles that allow all of it, and their
// bindings to a subject.
func (p Permissions) Objects(name string, subject rbacv1.Subject) []runtime.Object {
	named := func(namespace string) metav1.ObjectMeta { return metav1.ObjectMeta{Name: name, Namespace: namespace} }
	kind := func(kind string) metav1.TypeMeta {
		return metav1.TypeMeta{APIVersion: rbacv1.SchemeGroupVersion.String(), Kind: kind}
	}
	to := func(kind string) rbacv1.RoleRef {
		return rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: kind, Name: name}
	}
	subjects := []rbacv1.Subject{subject}
	all := []runtime.Object{
		&rbacv1.ClusterRole{TypeMeta: kind("ClusterRole"), ObjectMeta: named(""), Rules: p.Cluster},
		&rbacv1.ClusterRoleBinding{TypeMeta: kind("ClusterRoleBinding"), ObjectMeta: named(""), RoleRef: to("ClusterRole"), Subjects: subjects},
	}
	for _, namespace := range slices.Sorted(maps.Keys(p.Namespaces)) {
		all = append(all,
			&rbacv1.Role{TypeMeta: kind("Role"), ObjectMeta: named(namespace), Rules: p.Namespaces[namespace]},
			&rbacv1.RoleBinding{TypeMeta: kind("RoleBinding"), ObjectMeta: named(namespace), RoleRef: to("Role"), Subjects: subjects},
		)
	}
	return all
}

// objects returns everything that the plan is about, hooks too, as the
// inventory has it.
func (p *Plan) objects() []inventory.Object {
	all := p.before.All()
	for _, l := range p.layers {
		for _, w := range l.objects {
			all = append(all, w.record())
		}
		if l.output == nil {
			continue
		}
		for _, h := range l.output.Hooks {
			guess, _ := meta.UnsafeGuessKindToResource(h.Object.GroupVersionKind())
			o := inventory.Object{Ref: kube.RefOf(h.Object.Unstructured), Resource: guess.Resource}
			if o.Namespace == "" {
				o.Namespace = h.DefaultNamespace
			}
			all = append(all, o)
		}
	}
	return all
}

// makes returns the namespaces that the plan makes, or that were made before.
func (p *Plan) makes() map[string]bool {
	made := map[string]bool{}
	for _, w := range p.spaces {
		made[w.ref.Name] = w.created
	}
	for _, l := range p.layers {
		for _, w := range l.objects {
			if w.ref.GVK().GroupKind() == namespaceKind {
				made[w.ref.Name] = w.created
			}
		}
	}
	for _, o := range p.before.All() {
		if o.GVK().GroupKind() == namespaceKind {
			made[o.Name] = made[o.Name] || o.Created
		}
	}
	return made
}

// records returns where the inventory and Helm's records are.
func (p *Plan) records() []string {
	all := []string{p.home}
	for _, l := range p.layers {
		if l.output != nil {
			for _, r := range l.output.Releases {
				all = append(all, r.Namespace)
			}
		}
	}
	for _, l := range p.before.Layers {
		for _, r := range l.Releases {
			all = append(all, r.Namespace)
		}
	}
	return all
}

// grants are verbs by namespace and resource. The namespace "" is the cluster.
type grants struct {
	made  map[string]bool // namespaces that are not there yet
	verbs map[string]map[schema.GroupResource]map[string]bool
}

func (g grants) add(namespace string, resource schema.GroupResource, verbs ...string) {
	if g.made[namespace] {
		namespace = ""
	}
	if g.verbs[namespace] == nil {
		g.verbs[namespace] = map[schema.GroupResource]map[string]bool{}
	}
	if g.verbs[namespace][resource] == nil {
		g.verbs[namespace][resource] = map[string]bool{}
	}
	for _, verb := range verbs {
		g.verbs[namespace][resource][verb] = true
	}
}

func (g grants) object(o inventory.Object) {
	resource := o.Served().GroupResource()
	g.add("", resource, "list", "watch")
	g.add(o.Namespace, resource, "get", "create", "patch")
	if o.GVK().GroupKind() != namespaceKind {
		g.add(o.Namespace, resource, "delete")
	}
	switch resource {
	case schema.GroupResource{Group: rbacv1.GroupName, Resource: "roles"}, schema.GroupResource{Group: rbacv1.GroupName, Resource: "clusterroles"}:
		// Nobody may give rights that he has not, without this one.
		g.add(o.Namespace, resource, "escalate")
	case schema.GroupResource{Group: rbacv1.GroupName, Resource: "rolebindings"}, schema.GroupResource{Group: rbacv1.GroupName, Resource: "clusterrolebindings"}:
		g.add(o.Namespace, schema.GroupResource{Group: rbacv1.GroupName, Resource: "clusterroles"}, "bind")
		g.add(o.Namespace, schema.GroupResource{Group: rbacv1.GroupName, Resource: "roles"}, "bind")
	}
	if runsPods(o.GVK().GroupKind()) {
		g.add(o.Namespace, podResource.GroupResource(), "list", "watch")
	}
}

func runsPods(kind schema.GroupKind) bool {
	return kind.Group == "apps" || kind.Group == "batch" || kind == schema.GroupKind{Kind: "Pod"}
}

// permissions returns rules that allow what is granted, those of equal verbs in
// one, in an order that does not change.
func (g grants) permissions() Permissions {
	p := Permissions{Namespaces: map[string][]rbacv1.PolicyRule{}}
	for place, resources := range g.verbs {
		type like struct{ group, verbs string }
		merged := map[like][]string{}
		for resource, verbs := range resources {
			key := like{resource.Group, strings.Join(slices.Sorted(maps.Keys(verbs)), ",")}
			merged[key] = append(merged[key], resource.Resource)
		}
		var rules []rbacv1.PolicyRule
		for key, names := range merged {
			slices.Sort(names)
			rules = append(rules, rbacv1.PolicyRule{APIGroups: []string{key.group}, Resources: names, Verbs: strings.Split(key.verbs, ",")})
		}
		slices.SortFunc(rules, func(a, b rbacv1.PolicyRule) int {
			return cmp.Or(cmp.Compare(a.APIGroups[0], b.APIGroups[0]), slices.Compare(a.Resources, b.Resources), slices.Compare(a.Verbs, b.Verbs))
		})
		if place == "" {
			p.Cluster = rules
		} else {
			p.Namespaces[place] = rules
		}
	}
	return p
}

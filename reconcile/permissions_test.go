package reconcile_test

import (
	"slices"
	"strings"
	"testing"

	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"

	"github.com/strata-go/strata/reconcile"
	"github.com/strata-go/strata/reconcile/reconciletest"
)

// An account that has what a plan says it needs, and nothing else, installs,
// repairs, upgrades and deletes the stack.
func TestE2EPermissions(t *testing.T) {
	l := newLife(t, "rbac")
	push(t, l.server)
	first := resolve(t, l.server, stack(t, "rbac"))
	// The home of the inventory is there, as the account lives in it.
	if _, err := l.kube.CoreV1().Namespaces().Create(l.ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: l.target.Namespace}}, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	plan, err := l.engine.Plan(l.ctx, l.target, first)
	if err != nil {
		t.Fatal(err)
	}
	admin := l.target
	permissions := plan.Permissions()
	l.become(permissions)
	l.rec.take()
	l.converge(first)
	used, _ := l.rec.take()
	l.converge(first)
	again, writes := l.rec.take()
	if len(writes) > 0 {
		t.Errorf("the second pass writes %v", writes)
	}
	if err := l.kube.AppsV1().Deployments("rbac-web").Delete(l.ctx, "web", metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	l.converge(first)
	if _, err := l.engine.Status(l.ctx, l.target); err != nil {
		t.Error(err)
	}
	l.engine.Prune = reconcile.PrunePolicy{CustomResourceDefinitions: true, PersistentVolumeClaims: true}
	result, err := l.engine.DeleteAndWait(l.ctx, l.target)
	if err != nil {
		t.Fatalf("%v; it waits for %v", err, result.Waiting)
	}
	for _, kept := range result.Kept {
		if kept.Object.Kind != "Namespace" || !strings.Contains(kept.Reason, "listed") {
			t.Errorf("kept %+v", kept)
		}
		if err := l.kube.CoreV1().Namespaces().Delete(l.ctx, kept.Object.Name, metav1.DeleteOptions{}); err != nil {
			t.Error(err)
		}
	}
	last, _ := l.rec.take()
	l.needed(permissions, slices.Concat(used, again, last))
	l.target = admin
}

// needed checks that each right was used.
func (l *life) needed(p reconcile.Permissions, requests reconciletest.Requests) {
	l.Helper()
	used := map[string]bool{}
	for _, r := range requests {
		namespace, resource, verb := right(r)
		for _, place := range []string{namespace, ""} { // a right on the cluster is one in each namespace
			used[place+" "+resource+" "+verb] = true
			if verb == "patch" { // it applies, which creates what is not there
				used[place+" "+resource+" create"] = true
			}
		}
	}
	check := func(namespace string, rules []rbacv1.PolicyRule) {
		for _, rule := range rules {
			for _, resource := range rule.Resources {
				for _, verb := range rule.Verbs {
					if !used[namespace+" "+rule.APIGroups[0]+"/"+resource+" "+verb] && !slices.Contains([]string{"bind", "escalate", "watch"}, verb) {
						l.Errorf("%s of %s/%s in %q is allowed, and not needed", verb, rule.APIGroups[0], resource, namespace)
					}
				}
			}
		}
	}
	check("", p.Cluster)
	for namespace, rules := range p.Namespaces {
		check(namespace, rules)
	}
}

// right returns what a request must be allowed to do.
func right(r reconciletest.Request) (namespace, resource, verb string) {
	parts := strings.Split(strings.Trim(r.Path, "/"), "/")
	group := ""
	if parts[0] == "apis" && len(parts) > 1 {
		group, parts = parts[1], parts[1:]
	}
	parts = parts[min(2, len(parts)):]
	if len(parts) > 2 && parts[0] == "namespaces" {
		namespace, parts = parts[1], parts[2:]
	}
	if len(parts) == 0 {
		return "", "", ""
	}
	verb = map[string]string{"POST": "create", "PUT": "update", "PATCH": "patch", "DELETE": "delete", "GET": "get"}[r.Method]
	if verb == "get" && len(parts) == 1 {
		verb = "list"
	}
	return namespace, group + "/" + parts[0], verb
}

// become makes an account with these rights, and lets the engine be it.
func (l *life) become(p reconcile.Permissions) {
	l.Helper()
	account := &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Name: "least", Namespace: l.target.Namespace}}
	if _, err := l.kube.CoreV1().ServiceAccounts(account.Namespace).Create(l.ctx, account, metav1.CreateOptions{}); err != nil {
		l.Fatal(err)
	}
	rules := slices.Clone(p.Cluster)
	for _, o := range p.Objects(l.target.Name, rbacv1.Subject{Kind: "ServiceAccount", Name: account.Name, Namespace: account.Namespace}) {
		var err error
		switch o := o.(type) {
		case *rbacv1.ClusterRole:
			_, err = l.kube.RbacV1().ClusterRoles().Create(l.ctx, o, metav1.CreateOptions{})
		case *rbacv1.ClusterRoleBinding:
			_, err = l.kube.RbacV1().ClusterRoleBindings().Create(l.ctx, o, metav1.CreateOptions{})
		case *rbacv1.Role:
			rules = append(rules, o.Rules...)
			_, err = l.kube.RbacV1().Roles(o.Namespace).Create(l.ctx, o, metav1.CreateOptions{})
		case *rbacv1.RoleBinding:
			_, err = l.kube.RbacV1().RoleBindings(o.Namespace).Create(l.ctx, o, metav1.CreateOptions{})
		}
		if err != nil {
			l.Fatal(err)
		}
	}
	for _, r := range rules {
		if slices.Contains(slices.Concat(r.Verbs, r.Resources, r.APIGroups), "*") {
			l.Errorf("the rule %v has a wildcard", r)
		}
	}
	token, err := l.kube.CoreV1().ServiceAccounts(account.Namespace).CreateToken(l.ctx, account.Name, &authenticationv1.TokenRequest{}, metav1.CreateOptions{})
	if err != nil {
		l.Fatal(err)
	}
	config := rest.AnonymousClientConfig(shared.Config)
	config.BearerToken = token.Status.Token
	config.Wrap(l.rec.Wrap)
	l.target.Config = config
}

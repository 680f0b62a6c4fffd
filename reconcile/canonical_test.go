package reconcile_test

import (
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// What people write and a server-side apply does not take as it is: a role that
// aggregates others and lists rules, a variable that is set twice.
func TestE2ECanonical(t *testing.T) {
	l := newLife(t, "canonical")
	d := manifests(t, strings.NewReplacer("NAME", "canonical", "ANNOTATIONS", "", "pause:3.10", `pause:3.10, env: [{name: A, value: "1"}, {name: A, value: "2"}]`).Replace(workload)+`---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: canonical}
aggregationRule: {clusterRoleSelectors: [{matchLabels: {canonical: "true"}}]}
rules: []
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: canonical-part, labels: {canonical: "true"}}
rules: [{apiGroups: [""], resources: [pods], verbs: [get]}]
`)
	l.converge(d)
	deployment, err := l.kube.AppsV1().Deployments("default").Get(l.ctx, "canonical", metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if env := deployment.Spec.Template.Spec.Containers[0].Env; len(env) != 1 || env[0].Value != "2" {
		t.Errorf("the variables are %v, want A=2", env)
	}
	for {
		role, err := l.kube.RbacV1().ClusterRoles().Get(l.ctx, "canonical", metav1.GetOptions{})
		if err != nil {
			t.Fatal(err)
		}
		if len(role.Rules) == 1 { // the controller has been there
			break
		}
	}
	l.rec.take()
	l.converge(d)
	if _, writes := l.rec.take(); len(writes) > 0 {
		t.Errorf("the second pass writes %v", writes)
	}
	l.removes()
}

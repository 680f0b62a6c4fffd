package profile_test

import (
	"context"
	"errors"
	"fmt"
	"log"

	"github.com/strata-go/strata/profile"
	"github.com/strata-go/strata/profile/profiletest"
)

const exampleProfile = `
apiVersion: strata.dev/v1alpha1
kind: ClusterProfile
metadata: {name: apps}
spec:
  version: 1.0.0
  type: add-on
  variables:
  - {name: replicas, format: number, default: "2"}
  layers:
  - name: web
    namespace: web
    helm: {registry: "oci://ghcr.io/acme/charts", chart: web, version: ~1.0}
    values:
      replicas: {{ .spectro.var.replicas }}
`

func exampleStack() *profile.Stack {
	p, err := profile.Parse([]byte(exampleProfile)) // or profile.Load("apps.yaml")
	if err != nil {
		log.Fatal(err)
	}
	stack, err := profile.Compose(p)
	if err != nil {
		log.Fatal(err)
	}
	return stack
}

// What a stack is resolved to is kept in a lock. With it versions stay as they
// are, until the stack asks for others.
func ExampleStack_Resolve() {
	ctx := context.Background()
	stack := exampleStack()
	stack.Variables = map[string]string{"replicas": "3"}
	// The resolver is a *registry.Client; this one is for tests.
	desired, err := stack.Resolve(ctx, profiletest.Versions{"helm web": {"1.0.0", "1.0.1"}}, nil)
	if err != nil {
		log.Fatal(err)
	}
	file, err := desired.Lock().Format() // keep it beside the profiles
	if err != nil {
		log.Fatal(err)
	}

	lock, err := profile.ParseLock(file)
	if err != nil {
		log.Fatal(err)
	}
	desired, err = stack.Resolve(ctx, profiletest.Versions{"helm web": {"1.0.0", "1.0.1", "1.0.2"}}, lock)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(desired.Layers()[0].Pin.Resolved)
	// Output: 1.0.1
}

// Where nothing may be looked up, as in CI, there is no resolver: what the lock
// does not pin is an error. What else has changed since is the difference of the
// locks.
func ExampleCompareLocks() {
	ctx := context.Background()
	stack := exampleStack()
	desired, err := stack.Resolve(ctx, profiletest.Versions{"helm web": {"1.0.0"}}, nil)
	if err != nil {
		log.Fatal(err)
	}
	lock := desired.Lock()

	stack.Variables = map[string]string{"replicas": "3"}
	desired, err = stack.Resolve(ctx, nil, lock)
	if errors.Is(err, profile.ErrLock) {
		log.Fatal("the lock is outdated: ", err)
	}
	if err != nil {
		log.Fatal(err)
	}
	if difference := profile.CompareLocks(lock, desired.Lock()); !difference.Empty() {
		fmt.Print(difference)
	}
	// Output:
	// variable replicas changed
	//   value: 2 → 3
}

// Explain says where a value comes from.
func ExampleDesired_Explain() {
	stack := exampleStack()
	stack.Variables = map[string]string{"replicas": "3"}
	desired, err := stack.Resolve(context.Background(), profiletest.Versions{"helm web": {"1.0.0"}}, nil)
	if err != nil {
		log.Fatal(err)
	}
	// With the content of the charts, which a registry.Client fetches, it also says
	// which of their values are replaced.
	explanation, err := desired.Explain(nil, "web", "replicas")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Print(explanation)
	// Output:
	// web: replicas = 3
	//   set by profile apps@1.0.0 line 15: 3
	//     {{ .spectro.var.replicas }} = "3", by variable replicas of the cluster
}

// Every problem is an *Error of its own, with the place in the file.
func ExampleError() {
	_, err := profile.Parse([]byte("apiVersion: strata.dev/v1alpha1\nkind: ClusterProfile\nmetadata: {name: apps}\nspec:\n  verison: 1.0.0\n"))
	if e, ok := errors.AsType[*profile.Error](err); ok {
		fmt.Println(e.Line, e.Path, errors.Is(e, profile.ErrSyntax))
	}
	fmt.Println(err)
	// Output:
	// 5 spec.verison true
	// line 5: spec.verison: unknown field, did you mean "version"? (known: version, type, cloudType, variables, layers)
}

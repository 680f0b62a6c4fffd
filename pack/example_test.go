package pack_test

import (
	"fmt"
	"log"
	"testing/fstest"

	"github.com/strata-go/strata/layer"
	"github.com/strata-go/strata/pack"
)

// All defects of a pack are reported, with their places.
func ExampleOpen() {
	_, err := pack.Open(fstest.MapFS{"pack.json": {Data: []byte(`{
  "name": "hello", "displayName": "Hello", "layer": "add-on",
  "kubeManifests": ["../hello.yaml"]
}`)}})
	fmt.Println(err)
	// Output:
	// pack.json:1:1: version: required, but missing
	// pack.json:2:53: layer: "add-on" is not a layer: want os, kernel, k8s, cni, csi or addon
	// pack.json:3:21: kubeManifests[0]: file "../hello.yaml": not a path inside the pack
}

// A preset changes only what it is about.
func ExampleEnablePresets() {
	presets, err := pack.ReadPresets([]byte(`
presets:
- name: large
  group: Size
  add: |
    charts: {web: {replicas: 3}}
`))
	if err != nil {
		log.Fatal(err)
	}
	values := `charts:
  # The web server.
  web:
    replicas: 1 # more in production

    image: web:1
`
	enabled, err := pack.EnablePresets([]byte(values), presets, map[string]string{"Size": "large"})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Print(string(enabled))
	// Output:
	// # spectrocloud.com/enabled-presets: Size:large
	// charts:
	//   # The web server.
	//   web:
	//     replicas: 3 # more in production
	//
	//     image: web:1
}

func ExampleSchema_Check() {
	schema, problems := pack.ReadSchema([]byte(`
charts.web.range:
  schema: '{{ required | format "${ipv4} - ${ipv4}" | hints "the addresses of the load balancer" }}'
`))
	fmt.Println(len(problems), "problems")
	fmt.Println(schema.Check(map[string]any{
		"charts": map[string]any{"web": map[string]any{"range": "10.0.0.1"}},
	}))
	// Output:
	// 0 problems
	// charts.web.range: want an IPv4 address, then an IPv4 address (the addresses of the load balancer)
}

func ExamplePack_CheckStack() {
	p := &pack.Pack{Name: "monitoring", Constraints: pack.Constraints{Dependencies: []pack.Dependency{
		{Pack: "kubernetes", Kind: layer.Kubernetes, Type: pack.Required, MinVersion: "1.31"},
	}}}
	fmt.Println(p.CheckStack([]pack.Member{{Pack: "kubernetes", Kind: layer.Kubernetes, Version: "1.30.4"}}))
	// Output: pack monitoring: needs kubernetes from 1.31 on, and the stack has 1.30.4
}

func ExampleReadSettings() {
	settings, err := pack.ReadSettings(map[string]any{
		"pack": map[string]any{
			"namespace":                         "web",
			"namespaceLabels":                   map[string]any{"web": "team=core,stage=prod"},
			"spectrocloud.com/install-priority": "10",
		},
	})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(settings.Namespace, settings.NamespaceLabels["web"], settings.InstallOrder)
	// Output: web map[stage:prod team:core] 10
}

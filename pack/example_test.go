package pack_test

import (
	"fmt"
	"log"
	"testing/fstest"

	"github.com/strata-go/strata/pack"
)

// All defects of a pack are reported, with their places.
func ExampleOpen() {
	_, err := pack.Open(fstest.MapFS{"pack.json": {Data: []byte(`{
  "name": "hello", "displayName": "Hello", "layer": "add-on",
  "kubeManifests": ["manifests/hello.yaml"]
}`)}})
	fmt.Println(err)
	// Output:
	// pack.json:1:1: version: required, but missing
	// pack.json:2:53: layer: "add-on" is not a layer: want os, kernel, k8s, cni, csi or addon
	// pack.json:3:21: kubeManifests[0]: file "manifests/hello.yaml": file does not exist
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

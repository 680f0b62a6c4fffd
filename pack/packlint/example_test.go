package packlint_test

import (
	"context"
	"fmt"
	"log"
	"testing/fstest"

	"github.com/strata-go/strata/pack/packlint"
)

func ExampleCheck() {
	r, err := packlint.Check(context.Background(), fstest.MapFS{
		"pack.json": {Data: []byte(`{"name": "hello", "displayName": "Hello", "layer": "addon", "version": "1.0.0",
  "kubeManifests": ["hello.yaml"]}`)},
		"values.yaml": {Data: []byte("pack: {namespace: hello}\nmanifests:\n  hello:\n    nmae: world\n")},
		"hello.yaml": {Data: []byte(`apiVersion: v1
kind: ConfigMap
metadata:
  name: {{ .Values.name | default "hello" }}
`)},
	}, packlint.Options{})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(r.OK(), r.Manifests[0].Objects)
	for _, p := range r.Problems {
		fmt.Println(p)
	}
	// Output:
	// true [ConfigMap//hello]
	// warning: values.yaml:4:5: manifests.hello.nmae: nobody reads it: hello.yaml does not have .Values.nmae
}

package manifest_test

import (
	"slices"
	"testing"

	"github.com/strata-go/strata/internal/manifest"
)

func TestImages(t *testing.T) {
	t.Parallel()
	objects, err := manifest.Parse("jobs.yaml", []byte(`
apiVersion: batch/v1
kind: CronJob
metadata: {name: nightly, annotations: {containers: none}}
spec:
  jobTemplate:
    spec:
      template:
        spec:
          initContainers: [{name: first, image: "b:1"}, {name: none}]
          containers: [{name: main, image: "a:1"}, {name: side, image: "b:1"}]
---
apiVersion: v1
kind: ConfigMap
metadata: {name: plain}
data: {image: "c:1"}
`))
	if err != nil || len(objects) != 2 {
		t.Fatal(objects, err)
	}
	if got := objects[0].Images(); !slices.Equal(got, []string{"a:1", "b:1"}) {
		t.Errorf("images are %v", got)
	}
	if got := objects[1].Images(); len(got) != 0 {
		t.Errorf("a text that is no container's gives images %v", got)
	}
}

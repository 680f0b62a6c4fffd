package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/strata-go/strata/layer"
	"github.com/strata-go/strata/profile"
)

// A shape says how large a stack is.
type shape struct {
	layers, objects int    // in all
	prefix          string // of the namespaces
	text            string // in every object
}

// The kinds of objects, of which each layer has as many.
var kinds = []string{
	"apiVersion: v1\nkind: ConfigMap\nmetadata: {name: %s}\ndata: {text: %q, more: \"%d\"}\n",
	"apiVersion: v1\nkind: Secret\nmetadata: {name: %s}\nstringData: {text: %q, more: \"%d\"}\n",
	"apiVersion: v1\nkind: Service\nmetadata: {name: %s, annotations: {text: %q, more: \"%d\"}}\nspec: {selector: {a: b}, ports: [{port: 80}]}\n",
	"apiVersion: rbac.authorization.k8s.io/v1\nkind: Role\nmetadata: {name: %s, annotations: {text: %q, more: \"%d\"}}\nrules: [{apiGroups: [\"\"], resources: [pods], verbs: [get, list]}]\n",
}

// documents returns the objects of one layer.
func (s shape) documents(layer int) []string {
	docs := make([]string, s.objects/s.layers)
	for i := range docs {
		docs[i] = fmt.Sprintf(kinds[i%len(kinds)], fmt.Sprintf("object-%d", i), s.text, layer)
	}
	return docs
}

func (s shape) namespace(layer int) string { return fmt.Sprintf("%s-%d", s.prefix, layer) }

// desired returns the state of a stack of the shape.
func (s shape) desired(ctx context.Context) (*profile.Desired, error) {
	p := &profile.Profile{Name: "bench", Version: "1.0.0", Type: profile.AddOn}
	for i := range s.layers {
		p.Layers = append(p.Layers, layer.Layer{
			Name: fmt.Sprintf("layer-%d", i), Namespace: s.namespace(i),
			Source: layer.Source{Manifests: &layer.Manifests{Inline: []layer.Manifest{{Name: "all", Content: strings.Join(s.documents(i), "---\n")}}}},
		})
	}
	return profile.Resolve(ctx, nil, nil, p)
}

package apiserver

import (
	"maps"

	autoscalingv1 "k8s.io/api/autoscaling/v1"
	apiextensions "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	structural "k8s.io/apiextensions-apiserver/pkg/apiserver/schema"
	"k8s.io/apiextensions-apiserver/pkg/generated/openapi"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/managedfields"
	"k8s.io/kube-openapi/pkg/validation/spec"
)

// models are the schemas, by name, that definitions of custom resources and
// their metadata have.
type models struct {
	schemas   map[string]*spec.Schema
	converter managedfields.TypeConverter
}

const modelPrefix = "#/definitions/"

func loadModels() (*models, error) {
	all := openapi.GetOpenAPIDefinitions(func(name string) spec.Ref { return spec.MustCreateRef(modelPrefix + name) })
	m := &models{schemas: map[string]*spec.Schema{}}
	for name, d := range all {
		m.schemas[name] = &d.Schema
	}
	for name, gvk := range map[string]schema.GroupVersionKind{
		apiextensions.CustomResourceDefinition{}.OpenAPIModelName(): definitionKind,
		autoscalingv1.Scale{}.OpenAPIModelName():                    scaleKind,
	} {
		setKind(m.schemas[name], gvk)
	}
	var err error
	m.converter, err = managedfields.NewTypeConverter(m.schemas, false)
	return m, err
}

const kindExtension = "x-kubernetes-group-version-kind"

func setKind(model *spec.Schema, gvk schema.GroupVersionKind) {
	model.AddExtension(kindExtension, []any{map[string]any{"group": gvk.Group, "version": gvk.Version, "kind": gvk.Kind}})
}

// custom returns the converter for a custom resource in all of its versions:
// its schemas, with the metadata that every object has.
func (m *models) custom(versions map[schema.GroupVersionKind]*structural.Structural, preserve bool) (managedfields.TypeConverter, error) {
	schemas := maps.Clone(m.schemas)
	for gvk, s := range versions {
		if s == nil {
			return managedfields.NewDeducedTypeConverter(), nil
		}
		model := s.ToKubeOpenAPI()
		if model.Properties == nil {
			model.Properties = map[string]spec.Schema{}
		}
		model.Properties["metadata"] = spec.Schema{SchemaProps: spec.SchemaProps{Ref: spec.MustCreateRef(modelPrefix + metav1.ObjectMeta{}.OpenAPIModelName())}}
		model.Properties["apiVersion"] = *spec.StringProperty()
		model.Properties["kind"] = *spec.StringProperty()
		setKind(model, gvk)
		schemas[gvk.String()] = model
	}
	return managedfields.NewTypeConverter(schemas, preserve)
}

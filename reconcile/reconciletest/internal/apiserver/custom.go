package apiserver

import (
	"errors"
	"fmt"
	"strings"

	apiextensionsinternal "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions"
	apiextensions "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	structural "k8s.io/apiextensions-apiserver/pkg/apiserver/schema"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/pruning"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/validation/field"
	openapierrors "k8s.io/kube-openapi/pkg/validation/errors"
	"k8s.io/kube-openapi/pkg/validation/strfmt"
	"k8s.io/kube-openapi/pkg/validation/validate"
)

// custom is what a definition says of a kind in one version.
type custom struct {
	schema    *structural.Structural // nil for none
	preserve  bool                   // fields that the schema does not have
	validator *validate.SchemaValidator
	replicas  *apiextensions.CustomResourceSubresourceScale
}

// customKinds returns the kinds that a definition brings, one for each version
// that is served.
func (c *catalogue) customKinds(o *unstructured.Unstructured) ([]*kind, error) {
	var crd apiextensions.CustomResourceDefinition
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(o.Object, &crd); err != nil {
		return nil, err
	}
	schemas := map[schema.GroupVersionKind]*structural.Structural{}
	var kinds []*kind
	for i, v := range crd.Spec.Versions {
		gvk := schema.GroupVersionKind{Group: crd.Spec.Group, Version: v.Name, Kind: crd.Spec.Names.Kind}
		s, err := structuralSchema(&crd.Spec.Versions[i])
		if err != nil {
			return nil, fmt.Errorf("%s: %w", gvk, err)
		}
		schemas[gvk] = s
		if !v.Served {
			continue
		}
		k := &kind{
			GroupVersionKind: gvk, resource: crd.Spec.Names.Plural, namespaced: crd.Spec.Scope == apiextensions.NamespaceScoped,
			generation: true, custom: &custom{schema: s, preserve: crd.Spec.PreserveUnknownFields},
		}
		if v.Subresources != nil {
			k.status, k.scale, k.custom.replicas = v.Subresources.Status != nil, v.Subresources.Scale != nil, v.Subresources.Scale
		}
		if s != nil {
			k.custom.validator = validate.NewSchemaValidator(s.ToKubeOpenAPI(), nil, "", strfmt.Default)
		}
		kinds = append(kinds, k)
	}
	converter, err := c.models.custom(schemas, crd.Spec.PreserveUnknownFields)
	for _, k := range kinds {
		k.converter = converter
	}
	return kinds, err
}

func structuralSchema(v *apiextensions.CustomResourceDefinitionVersion) (*structural.Structural, error) {
	if v.Schema == nil || v.Schema.OpenAPIV3Schema == nil {
		return nil, nil
	}
	var props apiextensionsinternal.JSONSchemaProps
	if err := apiextensions.Convert_v1_JSONSchemaProps_To_apiextensions_JSONSchemaProps(v.Schema.OpenAPIV3Schema, &props, nil); err != nil {
		return nil, err
	}
	return structural.NewStructural(&props)
}

// prune drops the fields that the schema does not have, and returns which.
func (c *custom) prune(o *unstructured.Unstructured) []string {
	if c.schema == nil || c.preserve {
		return nil
	}
	return pruning.PruneWithOptions(o.Object, c.schema, true, structural.UnknownFieldPathOptions{TrackUnknownFieldPaths: true})
}

// problem returns a finding of the schema as the server words it.
func problem(err error) *field.Error {
	found, ok := errors.AsType[*openapierrors.Validation](err)
	if !ok {
		return field.Invalid(field.NewPath(""), nil, err.Error())
	}
	at := field.NewPath(strings.TrimPrefix(found.Name, "."))
	switch found.Code() {
	case openapierrors.RequiredFailCode:
		return field.Required(at, "")
	case openapierrors.InvalidTypeCode:
		return field.TypeInvalid(at, found.Value, found.Error())
	}
	return field.Invalid(at, found.Value, found.Error())
}

// validate returns the problems of an object that the schema finds.
func (k *kind) validate(o *unstructured.Unstructured) error {
	if k.custom == nil || k.custom.validator == nil {
		return nil
	}
	var problems field.ErrorList
	for _, err := range k.custom.validator.Validate(o.Object).Errors {
		problems = append(problems, problem(err))
	}
	if len(problems) == 0 {
		return nil
	}
	return apierrors.NewInvalid(k.GroupKind(), o.GetName(), problems)
}

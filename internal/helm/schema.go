package helm

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/santhosh-tekuri/jsonschema/v6/kind"
	"helm.sh/helm/v3/pkg/chart"
)

// checkSchemas checks values against the schema of a chart, and the parts of
// its subcharts against theirs. What a schema refers to outside of itself is
// not fetched: that part allows everything, and is among the unchecked.
func checkSchemas(tree *chart.Chart, values map[string]any) (unchecked []*RemoteSchemaError, err error) {
	c := schemaChecker{}
	if err := c.check(tree, values); err != nil {
		return nil, err
	}
	if len(c.problems) > 0 {
		slices.SortFunc(c.problems, func(a, b SchemaProblem) int {
			return cmp.Or(strings.Compare(a.Chart, b.Chart), strings.Compare(a.Path, b.Path), strings.Compare(a.Problem, b.Problem))
		})
		return c.unchecked, &SchemaError{slices.Compact(c.problems)}
	}
	return c.unchecked, nil
}

type schemaChecker struct {
	problems  []SchemaProblem
	unchecked []*RemoteSchemaError
}

func (c *schemaChecker) check(tree *chart.Chart, values map[string]any) error {
	name := tree.ChartFullPath()
	if tree.Schema != nil {
		schema, remote, err := compile(tree.Schema)
		if err != nil {
			return fmt.Errorf("reading %s/values.schema.json: %w", name, err)
		}
		if len(remote) > 0 {
			c.unchecked = append(c.unchecked, &RemoteSchemaError{name, remote})
		}
		if err := schema.Validate(values); err != nil {
			c.add(name, err)
		}
	}
	for _, sub := range tree.Dependencies() {
		switch part := values[sub.Name()].(type) {
		case nil:
		case map[string]any:
			if err := c.check(sub, part); err != nil {
				return err
			}
		default:
			c.problems = append(c.problems, SchemaProblem{name, "/" + sub.Name(), "must be a map: it holds the values of a subchart"})
		}
	}
	return nil
}

// add reports the leaves of err: what is above them only says where to look.
func (c *schemaChecker) add(chart string, err error) {
	var v *jsonschema.ValidationError
	if !errors.As(err, &v) {
		c.problems = append(c.problems, SchemaProblem{chart, "/", err.Error()})
		return
	}
	for _, cause := range v.Causes {
		c.add(chart, cause)
	}
	if len(v.Causes) == 0 {
		c.problems = append(c.problems, SchemaProblem{chart, "/" + strings.Join(v.InstanceLocation, "/"), describe(v)})
	}
}

// describe says what is wrong without the text of the value, which the
// library quotes in these two cases.
func describe(v *jsonschema.ValidationError) string {
	switch k := v.ErrorKind.(type) {
	case *kind.Pattern:
		return fmt.Sprintf("does not match pattern %q", k.Want)
	case *kind.Format:
		return "is not a valid " + k.Want
	}
	_, problem, _ := strings.Cut(v.Error(), ": ")
	return problem
}

// compile reads a schema. It returns the URLs that the schema refers to, and
// whose part was taken out.
func compile(text []byte) (schema *jsonschema.Schema, remote []string, err error) {
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		return nil, nil, err
	}
	const self = "file:///values.schema.json"
	for {
		compiler := jsonschema.NewCompiler()
		compiler.UseLoader(noLoader{})
		if err := compiler.AddResource(self, doc); err != nil {
			return nil, nil, err
		}
		schema, err := compiler.Compile(self)
		var outside *jsonschema.LoadURLError
		if !errors.As(err, &outside) {
			return schema, remote, err
		}
		// One reference was found. Take out all that go to the same place; if
		// none does, because it is written relative to a base, give up.
		if !withoutRefs(doc, outside.URL) {
			return nil, nil, err
		}
		remote = append(remote, outside.URL)
	}
}

// A noLoader loads nothing.
type noLoader struct{}

func (noLoader) Load(string) (any, error) {
	return nil, errors.New("a schema may not refer to what is outside of the chart")
}

// withoutRefs removes the references to a URL, wherever in it they point, and
// reports whether there were any.
func withoutRefs(node any, url string) bool {
	found := false
	switch node := node.(type) {
	case map[string]any:
		for _, key := range []string{"$ref", "$dynamicRef", "$recursiveRef", "$schema"} {
			ref, _ := node[key].(string)
			if target, _, _ := strings.Cut(ref, "#"); target == url {
				delete(node, key)
				found = true
			}
		}
		for _, child := range node {
			found = withoutRefs(child, url) || found
		}
	case []any:
		for _, child := range node {
			found = withoutRefs(child, url) || found
		}
	}
	return found
}

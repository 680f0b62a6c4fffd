package helm

import (
	"fmt"
	"strings"
)

// A ChartError says why a chart cannot be read or rendered.
type ChartError struct {
	Chart   string // its name, or that of its archive; "" if it is not known
	Version string // "" if it is not known
	Err     error
}

// Error returns "chart name version: problem".
func (e *ChartError) Error() string {
	return strings.TrimSpace("chart "+e.Chart+" "+e.Version) + ": " + e.Err.Error()
}

// Unwrap returns the cause.
func (e *ChartError) Unwrap() error { return e.Err }

// A KubeVersionError says that a chart is not made for the cluster's version
// of Kubernetes. It is wrapped in a [*ChartError].
type KubeVersionError struct {
	Constraint string // of the chart
	Version    string // of the cluster
}

// Error names both versions.
func (e *KubeVersionError) Error() string {
	return fmt.Sprintf("needs Kubernetes %s, and the cluster has %s", e.Constraint, e.Version)
}

// A SchemaError lists what a chart's values schemas do not allow. It is
// wrapped in a [*ChartError].
type SchemaError struct {
	Problems []SchemaProblem
}

// A RemoteSchemaError says that a values schema refers to what is outside of
// its chart, which is not fetched, so that the values cannot be checked. Helm
// itself refuses such a chart where there is no network. It is wrapped in a
// [*ChartError].
type RemoteSchemaError struct {
	Chart string   // the chart or subchart whose schema it is
	URLs  []string // what it refers to
}

// Error names the schema and the URLs.
func (e *RemoteSchemaError) Error() string {
	return fmt.Sprintf("%s/values.schema.json refers to %s, which is not fetched: what it describes is not checked",
		e.Chart, strings.Join(e.URLs, ", "))
}

// A SchemaProblem is one value that a schema does not allow.
type SchemaProblem struct {
	Chart   string // the chart or subchart whose schema it is
	Path    string // JSON pointer into the values of that chart
	Problem string // it quotes no text of the values
}

// Error returns a line for each problem.
func (e *SchemaError) Error() string {
	var b strings.Builder
	b.WriteString("values do not meet the schema")
	for _, p := range e.Problems {
		fmt.Fprintf(&b, "\n\t%s: %s: %s", p.Chart, p.Path, p.Problem)
	}
	return b.String()
}

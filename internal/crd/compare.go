package crd

import (
	"fmt"
	"slices"
)

// A Finding is one thing that a change of a definition breaks.
type Finding struct {
	// Path is where in the definition: ".spec.scope", or, within the schema of a
	// version, `.spec.versions[v1].schema.openAPIV3Schema.properties.spec`.
	Path string
	// Problem says what changes, and whom it hurts.
	Problem string
}

// Compare returns what breaks when the definition before, as the cluster has
// it, becomes after: objects that are stored and could no longer be read or
// written, and clients that could no longer speak to the API. What only allows
// more is no finding. Rules in CEL (x-kubernetes-validations) are not compared.
func Compare(before, after Definition) []Finding {
	c := &comparison{}
	c.names(before, after)
	for _, was := range before.Versions {
		c.version(was, before, after)
	}
	if old, now := before.storage(), after.storage(); old != now {
		if was := before.Version(now); was == nil || !was.Served {
			c.found(".spec.versions", "objects were stored as %s and are to be stored as %s, which was not served so far; first serve it, then store it", old, now)
		}
	}
	if before.Loose && !after.Loose {
		c.found(".spec.preserveUnknownFields", "fields that no schema names are no longer kept")
	}
	return c.findings
}

// A comparison collects findings.
type comparison struct{ findings []Finding }

func (c *comparison) found(path, format string, args ...any) {
	c.findings = append(c.findings, Finding{path, fmt.Sprintf(format, args...)})
}

func (c *comparison) names(before, after Definition) {
	for _, n := range []struct{ path, old, now string }{
		{".spec.group", before.Group, after.Group},
		{".spec.names.kind", before.Kind, after.Kind},
		{".spec.names.plural", before.Plural, after.Plural},
		{".spec.scope", before.scope(), after.scope()},
	} {
		if n.old != n.now {
			c.found(n.path, "it was %q and is to be %q: every object would have to be made anew", n.old, n.now)
		}
	}
}

func (d Definition) scope() string {
	if d.Namespaced {
		return "Namespaced"
	}
	return "Cluster"
}

func (c *comparison) version(was Version, before, after Definition) {
	path := fmt.Sprintf(".spec.versions[%s]", was.Name)
	now := after.Version(was.Name)
	switch {
	case now == nil && slices.Contains(before.Stored, was.Name):
		c.found(path, "it is removed, and objects may be stored in it (status.storedVersions); write them all anew, and take it out of there")
		return
	case now == nil && was.Served:
		c.found(path, "it is removed, and was served")
		return
	case now == nil:
		return
	case was.Served && !now.Served:
		c.found(path+".served", "it is no longer served")
	}
	if !before.Loose {
		c.schema(path+".schema.openAPIV3Schema", was.Schema, now.Schema)
	}
}

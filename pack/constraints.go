package pack

import "fmt"

// constraints reads the field of that name. Data in the wild leaves the type
// of a dependency out; other types than the known ones cannot be obeyed, so
// they are reported.
func constraints(o object) Constraints {
	var c Constraints
	field, ok := o.object["constraints"]
	if !ok {
		return c
	}
	o = o.open(field, "constraints")
	o.objects("dependencies", func(item object) { c.Dependencies = append(c.Dependencies, dependency(item)) })
	o.objects("resources", func(item object) { c.Resources = append(c.Resources, resource(item)) })
	return c
}

func dependency(o object) Dependency {
	d := Dependency{
		Pack:       o.required("packName"),
		Type:       DependencyType(o.string("type")),
		MinVersion: o.string("minVersion"),
		MaxVersion: o.string("maxVersion"),
	}
	if text := o.required("layer"); text != "" {
		d.Kind = o.kind(text, "layer")
	}
	switch d.Type {
	case "", Required, Optional, NotSupported, Upgrade:
	default:
		o.report(o.object["type"].offset, o.path+"type",
			fmt.Errorf("%q is not a dependency type: want required, optional, notSupported or upgrade", d.Type))
	}
	return d
}

func resource(o object) Resource {
	r := Resource{Type: o.required("type"), MinLimit: o.number("minLimit")}
	o.objects("components", func(part object) {
		r.Components = append(r.Components, Component{
			RequestPath:  part.string("resourceRequestParamRef"),
			ReplicasPath: part.string("replicaCountParamRef"),
			Schedule:     part.string("scheduleType"),
		})
	})
	return r
}

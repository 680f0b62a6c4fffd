package manifest

import "slices"

// Images returns the images that containers of the object name, each once,
// sorted. Whatever has a list of containers counts: pods, workloads, and custom
// resources with the template of a pod.
func (o Object) Images() []string {
	var all []string
	EachContainer(o.Object, func(container map[string]any) {
		if image, _ := container["image"].(string); image != "" {
			all = append(all, image)
		}
	})
	slices.Sort(all)
	return slices.Compact(all)
}

// EachContainer calls found for every container in v, which is the content of an
// object: what is put into the container is in the object.
func EachContainer(v any, found func(map[string]any)) {
	switch v := v.(type) {
	case map[string]any:
		for key, item := range v {
			if key == "containers" || key == "initContainers" || key == "ephemeralContainers" {
				list, _ := item.([]any)
				for _, one := range list {
					if container, ok := one.(map[string]any); ok {
						found(container)
					}
				}
			}
			EachContainer(item, found)
		}
	case []any:
		for _, item := range v {
			EachContainer(item, found)
		}
	}
}

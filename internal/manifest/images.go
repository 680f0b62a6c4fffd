package manifest

import "slices"

// Images returns the images that containers of the object name, each once,
// sorted. Whatever has a list of containers counts: pods, workloads, and custom
// resources with the template of a pod.
func (o Object) Images() []string {
	var all []string
	eachContainer(o.Object, func(container map[string]any) {
		if image, _ := container["image"].(string); image != "" {
			all = append(all, image)
		}
	})
	slices.Sort(all)
	return slices.Compact(all)
}

// eachContainer calls found for every container in v.
func eachContainer(v any, found func(map[string]any)) {
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
			eachContainer(item, found)
		}
	case []any:
		for _, item := range v {
			eachContainer(item, found)
		}
	}
}

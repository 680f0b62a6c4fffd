package manifest

import "slices"

// Images returns the images that containers of the object name, each once,
// sorted. Whatever has a list of containers counts: pods, workloads, and custom
// resources with the template of a pod.
func (o Object) Images() []string {
	var all []string
	walkImages(o.Unstructured.Object, func(image string) { all = append(all, image) })
	slices.Sort(all)
	return slices.Compact(all)
}

func walkImages(v any, found func(string)) {
	switch v := v.(type) {
	case map[string]any:
		for key, item := range v {
			if key == "containers" || key == "initContainers" || key == "ephemeralContainers" {
				containerImages(item, found)
			}
			walkImages(item, found)
		}
	case []any:
		for _, item := range v {
			walkImages(item, found)
		}
	}
}

func containerImages(v any, found func(string)) {
	list, _ := v.([]any)
	for _, item := range list {
		container, _ := item.(map[string]any)
		if image, _ := container["image"].(string); image != "" {
			found(image)
		}
	}
}

package macro

import (
	"fmt"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Node parses the first document of a YAML text and returns the node at its
// top, nil if it is empty. Macros stand in its scalars as they are written, and
// a scalar that holds one is a string.
func Node(doc []byte) (*yaml.Node, error) {
	protected, restore := Protect(string(doc))
	var root yaml.Node
	if err := yaml.Unmarshal([]byte(protected), &root); err != nil {
		return nil, fmt.Errorf("invalid YAML: %s", strings.TrimPrefix(err.Error(), "yaml: "))
	}
	if len(root.Content) == 0 {
		return nil, nil //nolint:nilnil // an empty document has no node
	}
	restoreNodes(root.Content[0], restore)
	return root.Content[0], nil
}

func restoreNodes(n *yaml.Node, restore func(string) string) {
	n.Value = restore(n.Value)
	for _, c := range n.Content {
		restoreNodes(c, restore)
	}
}

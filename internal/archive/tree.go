package archive

import (
	"cmp"
	"path"
	"slices"
)

// A tree is an [FS] that is still being filled.
type tree struct {
	nodes map[string]*node
	max   int
}

func newTree(maxEntries int) *tree {
	root := &node{name: ".", dir: true}
	return &tree{nodes: map[string]*node{".": root}, max: maxEntries}
}

func (t *tree) addFile(name string, data []byte) error {
	if old := t.nodes[name]; old != nil {
		if old.dir {
			return &Error{Problem: FileAndFolder}
		}
		return &Error{Problem: Duplicate}
	}
	return t.add(name, &node{name: path.Base(name), data: data})
}

// addDir adds a folder. One that is there already is no problem: it says
// nothing that could contradict.
func (t *tree) addDir(name string) error {
	if old := t.nodes[name]; old != nil {
		if !old.dir {
			return &Error{Problem: FileAndFolder}
		}
		return nil
	}
	return t.add(name, &node{name: path.Base(name), dir: true})
}

func (t *tree) add(name string, n *node) error {
	parent := path.Dir(name)
	if err := t.addDir(parent); err != nil {
		return err
	}
	if len(t.nodes) > t.max { // the root is not counted
		return &Error{Problem: TooManyEntries}
	}
	t.nodes[name] = n
	t.nodes[parent].children = append(t.nodes[parent].children, n)
	return nil
}

func (t *tree) seal() *FS {
	for _, n := range t.nodes {
		slices.SortFunc(n.children, func(a, b *node) int { return cmp.Compare(a.name, b.name) })
	}
	return &FS{nodes: t.nodes}
}

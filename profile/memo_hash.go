package profile

import (
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"hash"
	"slices"

	"github.com/opencontainers/go-digest"
	"go.yaml.in/yaml/v3"
)

// A treeHash identifies what YAML documents say, whatever they look like: not
// comments, styles, the order of keys, or whether aliases are written out.
type treeHash struct {
	hash.Hash
	room   int // for nodes, aliases written out
	length [binary.MaxVarintLen64]byte
}

func newTreeHash() *treeHash { return &treeHash{Hash: sha256.New(), room: maxTree} }

// add adds a document. Original returns a string of it as it is written.
func (t *treeHash) add(root *yaml.Node, original func(string) string) {
	for _, n := range root.Content {
		t.node(n, original)
	}
}

// digest returns the digest of what was added, which is all that text says. A
// text that grows too much when its aliases are written out stands for itself.
func (t *treeHash) digest(text string) digest.Digest {
	if t.room < 0 {
		return digest.FromString(text)
	}
	return digest.NewDigest(digest.SHA256, t.Hash)
}

func (t *treeHash) node(n *yaml.Node, original func(string) string) {
	if t.room--; t.room < 0 {
		return
	}
	if n.Kind == yaml.AliasNode {
		t.node(n.Alias, original)
		return
	}
	t.text(n.ShortTag())
	if n.Kind == yaml.ScalarNode {
		t.text(original(n.Value))
		return
	}
	t.count(len(n.Content))
	if n.Kind == yaml.MappingNode {
		for _, pair := range sortedPairs(n) {
			t.node(pair[0], original)
			t.node(pair[1], original)
		}
		return
	}
	for _, c := range n.Content {
		t.node(c, original)
	}
}

// text adds a text, with its length, so that no two sequences are alike.
func (t *treeHash) text(s string) {
	t.count(len(s))
	_, _ = t.Write([]byte(s)) // never fails, see hash.Hash
}

func (t *treeHash) count(n int) {
	_, _ = t.Write(binary.AppendUvarint(t.length[:0], uint64(n))) //nolint:gosec // lengths are not negative
}

// sortedPairs returns the keys and values of a mapping, by key.
func sortedPairs(n *yaml.Node) [][2]*yaml.Node {
	pairs := make([][2]*yaml.Node, 0, len(n.Content)/2)
	for i := 0; i+1 < len(n.Content); i += 2 {
		pairs = append(pairs, [2]*yaml.Node{n.Content[i], n.Content[i+1]})
	}
	slices.SortStableFunc(pairs, func(a, b [2]*yaml.Node) int { return cmp.Compare(a[0].Value, b[0].Value) })
	return pairs
}

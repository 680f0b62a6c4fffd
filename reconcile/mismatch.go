package reconcile

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/strata-go/strata/layer"
)

// A MismatchError says that the cluster has another operating system, or another
// Kubernetes, than layers of the stack say. It is terminal.
type MismatchError struct{ Mismatches []Mismatch }

func (e *MismatchError) Error() string {
	lines := make([]string, len(e.Mismatches))
	for i, m := range e.Mismatches {
		lines[i] = m.String()
	}
	return strings.Join(lines, "\n")
}

// Is reports whether target is [ErrTerminal].
func (e *MismatchError) Is(target error) bool { return target == ErrTerminal }

// A Mismatch is what the cluster reports otherwise than a layer says. Layers of
// kinds os and kubernetes describe the cluster; nothing makes it so yet.
type Mismatch struct {
	Layer string     `json:"layer"`
	Kind  layer.Kind `json:"kind"`
	Want  string     `json:"want"`            // as the layer's source is called, "ubuntu 22.04"
	Have  string     `json:"have"`            // as the cluster says
	Nodes []string   `json:"nodes,omitempty"` // those that are so; empty for a kubernetes layer
}

// String says what differs, for people.
func (m Mismatch) String() string {
	where := "the cluster has"
	if n := len(m.Nodes); n > 0 {
		const shown = 3
		where = "nodes " + quoteAll(m.Nodes[:min(shown, n)])
		if n > shown {
			where += fmt.Sprintf(" and %d more", n-shown)
		}
		where += " have"
	}
	return fmt.Sprintf("layer %q wants %s, and %s %s; change the version of the layer, or the cluster", m.Layer, m.Want, where, m.Have)
}

// kubernetesMismatch holds a layer of kind kubernetes against the version of the
// server. A version that cannot be read is no mismatch.
func kubernetesMismatch(name string, pin layer.Pin, server string) []Mismatch {
	want, have := numbers(pin.Resolved), numbers(server)
	if len(want) == 0 || len(have) == 0 || agree(want, have) {
		return nil
	}
	return []Mismatch{{Layer: name, Kind: layer.Kubernetes, Want: pin.Name + " " + pin.Resolved, Have: "Kubernetes " + server}}
}

// osMismatch holds a layer of kind os against what the nodes have: images are
// their operating systems by their names. What is not known is no mismatch.
func osMismatch(name string, pin layer.Pin, images map[string]string) []Mismatch {
	nodes := map[string][]string{}
	for node, image := range images {
		if !sameSystem(pin, image) {
			nodes[image] = append(nodes[image], node)
		}
	}
	var all []Mismatch
	for image, of := range nodes {
		slices.Sort(of)
		all = append(all, Mismatch{name, layer.OS, pin.Name + " " + pin.Resolved, image, of})
	}
	slices.SortFunc(all, func(a, b Mismatch) int { return strings.Compare(a.Have, b.Have) })
	return all
}

// systems are the words by which the names of packs and of images tell operating
// systems: the first is what they are called here.
var systems = [][]string{
	{"ubuntu"}, {"rhel", "red hat"}, {"sles", "suse"}, {"centos"}, {"rocky"}, {"alma"}, {"debian"}, {"fedora"},
	{"flatcar"}, {"bottlerocket"}, {"talos"}, {"amazon", "amzn"}, {"photon"}, {"oracle"}, {"windows"},
}

func system(text string) string {
	text = strings.ToLower(text)
	for _, words := range systems {
		if slices.ContainsFunc(words, func(w string) bool { return strings.Contains(text, w) }) {
			return words[0]
		}
	}
	return ""
}

// sameSystem reports whether an image may be what a pin says.
func sameSystem(pin layer.Pin, image string) bool {
	want, have := system(pin.Name), system(image)
	if want == "" || have == "" {
		return true
	}
	const release = 2 // 22.04: what comes after it changes with updates of the nodes
	version := numbers(pin.Resolved)
	return want == have && agree(version[:min(release, len(version))], numbers(image))
}

var dotted = regexp.MustCompile(`[0-9]+(\.[0-9]+){0,2}`)

// numbers returns the first version in a text: up to three numbers.
func numbers(text string) []int {
	var all []int
	for part := range strings.SplitSeq(dotted.FindString(text), ".") {
		if n, err := strconv.Atoi(part); err == nil {
			all = append(all, n)
		}
	}
	return all
}

// agree reports whether two versions are the same as far as both go.
func agree(a, b []int) bool {
	n := min(len(a), len(b))
	return slices.Equal(a[:n], b[:n])
}

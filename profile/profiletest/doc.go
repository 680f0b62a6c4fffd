// Package profiletest tests cluster profiles without a cluster, a registry or a
// network. A test case is one text file; a line of Go runs them all:
//
//	func TestProfiles(t *testing.T) { profiletest.Run(t, "testdata/*.txtar") }
//
// # A case
//
// A case is a txtar file: a comment that says what it shows, then files, each
// behind a line "-- name --". What is given:
//
//	*.yaml          profiles, which are composed; or one stack (kind:
//	                ClusterStack) and the profiles that it names
//	stack           the path of a stack's file, instead
//	palette.json    or palette.yaml: a profile that Palette exported, instead
//	versions        what registries have: "pack ubuntu: 22.04.1 24.04" a line
//	variables       values of the variables, as a YAML mapping, if there is no stack
//	system          values of system macros, in the same way
//	lock.json       a lock to resolve with
//	before/...      the same files at an earlier time, for want/compare
//	registry/n@v/   the files of a version of a pack or chart, as far as they
//	                matter, or the profile.yaml of one that a stack refers to
//	nodes           the node pools, as a YAML list: name, controlPlane, nodes, cpu
//	                (thousandths), memory (MiB), disk (GB), kubernetes
//	explain         layers and paths of values, "web replicas" a line
//
// Files in other folders are those that the profiles name. What is wanted:
//
//	want/error            the error, if there is to be one
//	want/layers           the layers in the order in which they are installed
//	want/lock             the lock
//	want/values/l.yaml    the values of the layer l, with macros replaced
//	want/merged/l.yaml    them laid over what the content of the layer says
//	want/manifests/l.yaml its manifests
//	want/form.json        the JSON Schema of the variables, for forms
//	want/uses             how often and in which layers each variable is used
//	want/profile.yaml     the only profile, or the imported one, in canonical form
//	want/palette.json     it exported to Palette; or palette.yaml
//	want/notes            what import and export could not carry over
//	want/outdated         what is newer than what the stack resolves to
//	want/compare          what changed since before/
//	want/explain          where the values in explain come from
//
// Only what is there is compared. Run with -update, the wanted files are
// written anew; a case that wants nothing gets want/error, or want/layers.
//
//	go test ./... -run TestProfiles -update
//
// # Policies
//
// A [Policy] is a rule for every layer of a stack. [Run] checks the stacks of
// all cases against some, [Check] a stack that the test has resolved itself, for
// which [Versions] is a resolver.
package profiletest

// Package pack reads packs: directories in the format of Palette, with a
// pack.json, a values.yaml, and charts and manifests.
//
// [Open] reads a pack from any file system, for example one that came from a
// registry, an [os.Root], or a map in a test. It reports every defect that it
// finds, with file, line and column. [ReadSettings] reads what the values of a
// pack say about its installation, once the values of a profile are merged in.
//
// [Check] looks closer, for people who write packs: it finds what is no defect
// of the format and yet not what was meant, such as values that no template
// reads. Package packlint, below this one, renders the pack for that as well.
//
// Presets and overrides change a values document as its author would, by hand:
// [EnablePresets] and [MergeValues] keep comments, order and layout.
//
// What a pack asks of others is checked by functions over facts that the caller
// has: [Schema.Check] of values, [Pack.CheckStack] of the packs beside it,
// [Pack.CheckUpgrade] of the pack that takes its place, [Pack.Needs] and
// [CheckCapacity] of machines.
//
// The package opens no connections.
package pack

// Package pack reads packs: directories in the format of Palette, with a
// pack.json, a values.yaml, and charts and manifests.
//
// [Open] reads a pack from any file system, for example one that came from a
// registry, an [os.Root], or a map in a test. It reports every defect that it
// finds, with file, line and column. [ReadSettings] reads what the values of a
// pack say about its installation, once the values of a profile are merged in.
//
// The package opens no connections.
package pack

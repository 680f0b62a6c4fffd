// Package values reads and merges values documents: the YAML maps with which
// packs and charts are configured.
//
// Documents are read as Helm reads them, so that a template sees the same
// values here and there: every number is a float64. Maps are merged by key;
// lists and scalars are replaced. No function changes what it is given, and no
// result shares maps or lists with it.
package values

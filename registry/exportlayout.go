package registry

import (
	"cmp"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/opencontainers/go-digest"
	specs "github.com/opencontainers/image-spec/specs-go"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// What an entry in the index of an exported layout says, besides the full
// reference in [ocispec.AnnotationRefName].
const (
	repositoryAnnotation = "io.github.strata-go.repository" // as in pins
	tagAnnotation        = "io.github.strata-go.tag"        // none: by digest only
)

// A layoutWriter writes an OCI image layout, see
// https://github.com/opencontainers/image-spec/blob/main/image-layout.md.
type layoutWriter struct {
	dir string

	mu      sync.Mutex
	entries []ocispec.Descriptor
}

func blobFile(dir string, d digest.Digest) string {
	return filepath.Join(dir, ocispec.ImageBlobsDir, d.Algorithm().String(), d.Encoded())
}

func (w *layoutWriter) has(d digest.Digest) bool {
	_, err := os.Lstat(blobFile(w.dir, d))
	return err == nil
}

// add writes the content of a digest, if it is that.
func (w *layoutWriter) add(d digest.Digest, r io.Reader) error {
	if w.has(d) {
		return nil
	}
	file := blobFile(w.dir, d)
	// A layout is carried around, and others read it, unlike the cache.
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		return err
	}
	if err := writeVerified(file, d, r); err != nil {
		return err
	}
	return os.Chmod(file, 0o644)
}

// enter lists a manifest in the index.
func (w *layoutWriter) enter(d ocispec.Descriptor, repository, tag string) {
	d.Annotations = names(repository, tag, d.Digest)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.entries = append(w.entries, d)
}

func names(repository, tag string, d digest.Digest) map[string]string {
	_, name, _ := strings.Cut(repository, "://")
	if tag == "" {
		return map[string]string{repositoryAnnotation: repository, ocispec.AnnotationRefName: name + "@" + d.String()}
	}
	return map[string]string{repositoryAnnotation: repository, tagAnnotation: tag, ocispec.AnnotationRefName: name + ":" + tag}
}

// close writes what makes the folder a layout.
func (w *layoutWriter) close() error {
	if err := os.MkdirAll(w.dir, 0o755); err != nil {
		return err
	}
	index := ocispec.Index{
		Versioned: specs.Versioned{SchemaVersion: 2}, MediaType: ocispec.MediaTypeImageIndex, Manifests: tidy(w.entries),
	}
	return errors.Join(
		writeJSON(filepath.Join(w.dir, ocispec.ImageIndexFile), index),
		writeJSON(filepath.Join(w.dir, ocispec.ImageLayoutFile), ocispec.ImageLayout{Version: ocispec.ImageLayoutVersion}))
}

// tidy sorts entries, and drops those that occur twice. A tag that two pins have
// for two digests, because it was moved in between, goes to neither: the pins
// go by digest.
func tidy(entries []ocispec.Descriptor) []ocispec.Descriptor {
	digests := map[string]digest.Digest{}
	moved := map[string]bool{}
	key := func(d ocispec.Descriptor) string {
		return d.Annotations[repositoryAnnotation] + ":" + d.Annotations[tagAnnotation]
	}
	for _, d := range entries {
		if there, ok := digests[key(d)]; ok && there != d.Digest {
			moved[key(d)] = true
		}
		digests[key(d)] = d.Digest
	}
	sorted := []ocispec.Descriptor{} // not nil, for JSON
	for _, d := range entries {
		if moved[key(d)] {
			d.Annotations = names(d.Annotations[repositoryAnnotation], "", d.Digest)
		}
		sorted = append(sorted, d)
	}
	slices.SortFunc(sorted, func(a, b ocispec.Descriptor) int {
		return cmp.Or(
			cmp.Compare(a.Annotations[ocispec.AnnotationRefName], b.Annotations[ocispec.AnnotationRefName]),
			cmp.Compare(a.Annotations[repositoryAnnotation], b.Annotations[repositoryAnnotation]),
			cmp.Compare(a.Digest, b.Digest))
	})
	return slices.CompactFunc(sorted, func(a, b ocispec.Descriptor) bool {
		return a.Digest == b.Digest && maps.Equal(a.Annotations, b.Annotations)
	})
}

func writeJSON(file string, value any) error {
	data, err := json.Marshal(value)
	if err != nil {
		return err
	}
	return os.WriteFile(file, data, 0o644)
}

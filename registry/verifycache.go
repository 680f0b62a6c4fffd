package registry

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/strata-go/strata/layer"
)

// maxEvidence bounds the answers for one artifact, in bytes.
const maxEvidence = 64 << 20

// Answers are what a registry said about the signatures of an artifact, by
// question. They are no proof of anything: a [Verifier] looks at them as it
// looks at those of a registry.
type answers map[string][]byte

func taggedQuestion(tag string) string       { return "tag " + tag }
func referrersQuestion(kind string) string   { return "referrers " + kind }
func contentQuestion(d digest.Digest) string { return "content " + d.String() }
func (c cache) evidenceDir() string          { return filepath.Join(c.dir, "signatures") }

// evidencePath is the file for an artifact in a repository: another repository
// may have other signatures for the same digest.
func (c cache) evidencePath(repository string, d digest.Digest) string {
	return filepath.Join(c.evidenceDir(), digest.FromString(repository+"@"+d.String()).Encoded())
}

// evidence returns the answers that were good enough last time, if any.
func (c cache) evidence(repository string, d digest.Digest) replay {
	f, err := os.Open(c.evidencePath(repository, d))
	if err != nil {
		return replay{}
	}
	defer f.Close()
	var found answers // as JSON, a third longer
	if err := json.NewDecoder(io.LimitReader(f, 2*maxEvidence)).Decode(&found); err != nil {
		c.log.Warn("a file in the cache is damaged", "file", f.Name())
		return replay{}
	}
	return replay{found}
}

// keepEvidence stores answers. If it cannot, they are asked for again next
// time.
func (c cache) keepEvidence(repository string, d digest.Digest, found answers) {
	data, err := json.Marshal(found)
	if err == nil {
		err = c.write(c.evidencePath(repository, d), digest.FromBytes(data), bytes.NewReader(data))
	}
	if err != nil {
		c.log.Warn("keeping signatures in the cache", "error", err)
	}
}

// A replay is [Signatures] from answers that were kept.
type replay struct{ answers answers }

func (r replay) Tagged(_ context.Context, tag string) ([]byte, error) {
	return r.answer(taggedQuestion(tag))
}

func (r replay) Referrers(_ context.Context, artifactType string) (list []ocispec.Descriptor, err error) {
	data, err := r.answer(referrersQuestion(artifactType))
	if err == nil {
		err = json.Unmarshal(data, &list)
	}
	return list, err
}

func (r replay) Content(_ context.Context, d ocispec.Descriptor) ([]byte, error) {
	if err := d.Digest.Validate(); err != nil {
		return nil, fmt.Errorf("digest: %w", err)
	}
	data, err := r.answer(contentQuestion(d.Digest))
	if err == nil && d.Digest.Algorithm().FromBytes(data) != d.Digest {
		err = fmt.Errorf("in the cache: %s: %w", d.Digest, layer.ErrDigest)
	}
	return data, err
}

func (r replay) answer(question string) ([]byte, error) {
	data, ok := r.answers[question]
	if !ok {
		return nil, fmt.Errorf("%s: %w in the cache", question, layer.ErrNotFound)
	}
	return data, nil
}

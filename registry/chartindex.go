package registry

import (
	"errors"
	"fmt"
	"net/url"
	"strings"

	"github.com/opencontainers/go-digest"
	"go.yaml.in/yaml/v3"
)

// A chartIndex is index.yaml of a classic Helm repository: the versions of each
// chart, not yet looked at, since one that is broken must not keep the others
// from being used. See https://helm.sh/docs/topics/chart_repository.
type chartIndex map[string][]*yaml.Node

// A chartVersion is an entry of an index.
type chartVersion struct {
	Version string
	Digest  digest.Digest // of the packaged chart; empty if the index does not have it
	ref     *url.URL      // absolute, or relative to the repository
}

// parseIndex parses index.yaml; JSON is YAML too.
func parseIndex(data []byte) (chartIndex, error) {
	var document yaml.Node
	if err := yaml.Unmarshal(data, &document); err != nil {
		return nil, err
	}
	if len(document.Content) != 1 || document.Content[0].Kind != yaml.MappingNode {
		return nil, errors.New("not an index of charts: want a YAML map with entries")
	}
	entries := field(document.Content[0], "entries")
	if entries == nil {
		return nil, errors.New("not an index of charts: there are no entries")
	}
	index := chartIndex{}
	if entries.Kind != yaml.MappingNode { // null, when there are no charts yet
		return index, nil
	}
	for i := 0; i+1 < len(entries.Content); i += 2 {
		name := entries.Content[i].Value
		index[name] = append(index[name], entries.Content[i+1].Content...)
	}
	return index, nil
}

func field(m *yaml.Node, name string) *yaml.Node {
	for i := 0; i+1 < len(m.Content); i += 2 {
		if m.Content[i].Value == name {
			return m.Content[i+1]
		}
	}
	return nil
}

// versions returns the versions of a chart that can be used. If one is there
// twice, the first counts, as for Helm. It tells skipped of all others.
func (x chartIndex) versions(name string, skipped func(version, problem string)) []chartVersion {
	var versions []chartVersion
	seen := map[string]bool{}
	for _, node := range x[name] {
		v, err := parseChartVersion(node)
		if err == nil && seen[v.Version] {
			err = errors.New("the version is there twice")
		}
		if err != nil {
			skipped(v.Version, err.Error())
			continue
		}
		seen[v.Version] = true
		versions = append(versions, v)
	}
	return versions
}

func parseChartVersion(node *yaml.Node) (chartVersion, error) {
	var entry struct {
		Version string   `yaml:"version"`
		URLs    []string `yaml:"urls"`
		Digest  string   `yaml:"digest"`
	}
	if err := node.Decode(&entry); err != nil {
		return chartVersion{}, err
	}
	v := chartVersion{Version: entry.Version}
	switch {
	case entry.Version == "":
		return v, errors.New("there is no version")
	case len(entry.URLs) == 0:
		return v, errors.New("there are no urls")
	}
	var err error
	if v.ref, err = parseChartURL(entry.URLs[0]); err != nil {
		return v, err
	}
	if entry.Digest != "" {
		v.Digest = digest.NewDigestFromEncoded(digest.SHA256, strings.TrimPrefix(entry.Digest, "sha256:"))
		if err := v.Digest.Validate(); err != nil {
			return v, fmt.Errorf("digest: %w", err)
		}
	}
	return v, nil
}

func parseChartURL(text string) (*url.URL, error) {
	u, err := url.Parse(text)
	switch {
	case err != nil:
		return nil, errors.New("the url is not valid")
	case u.User != nil:
		return nil, errors.New("the url holds a user or password")
	case u.Scheme == "" && u.Host == "" && u.Path != "", (u.Scheme == "https" || u.Scheme == "http") && u.Host != "":
		return u, nil
	case u.Scheme == "oci" && strings.LastIndex(u.Path, ":") > 0:
		return u, nil
	}
	return nil, fmt.Errorf("the url %.200q is neither relative nor of https or oci", scrubURL(text))
}

// url returns where the packaged chart is, given the URL of the repository.
func (v chartVersion) url(repository string) string {
	base, err := url.Parse(repository + "/")
	if err != nil { // not for a place
		return repository
	}
	return base.ResolveReference(v.ref).String()
}

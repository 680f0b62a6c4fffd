package profiletest

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/opencontainers/go-digest"

	"github.com/strata-go/strata/internal/version"
	"github.com/strata-go/strata/layer"
)

// Versions is a resolver that knows the versions in it and nothing else. Keys
// are a format and a name, "pack kubernetes"; or, for one registry only,
// "pack acme/kubernetes". It chooses as a registry client does, and its digests
// are the same on every day. It is safe for concurrent use.
type Versions map[string][]string

// ParseVersions parses lines of the form "format name: version version ...".
// What follows a "#" is a comment.
func ParseVersions(text string) (Versions, error) {
	v := Versions{}
	lines := bufio.NewScanner(strings.NewReader(text))
	var errs []error
	for n := 1; lines.Scan(); n++ {
		line, _, _ := strings.Cut(lines.Text(), "#")
		if strings.TrimSpace(line) == "" {
			continue
		}
		// Registries are URLs, which hold colons.
		at := strings.Index(line+" ", ": ")
		format, name, ok := strings.Cut(strings.TrimSpace(line[:max(at, 0)]), " ")
		if !ok || strings.Contains(name, " ") || !slices.Contains(formats(), layer.Format(format)) {
			errs = append(errs, fmt.Errorf("versions:%d: %q; want format name: versions, with a format of %q", n, line, formats()))
			continue
		}
		key := format + " " + name
		v[key] = append(v[key], strings.Fields(line[min(at+2, len(line)):])...)
	}
	return v, errors.Join(append(errs, lines.Err())...)
}

// formats returns those that have versions.
func formats() []layer.Format {
	return []layer.Format{layer.FormatPack, layer.FormatHelm, layer.FormatZarf, layer.FormatProfile}
}

// Resolve returns a pin for one of the versions that satisfy ref. Errors wrap
// [layer.ErrNotFound] or [layer.ErrNoVersion].
func (v Versions) Resolve(ctx context.Context, ref layer.Ref) (layer.Pin, error) {
	if !ref.Strategy.Valid() {
		return layer.Pin{}, fmt.Errorf("%s: strategy %q: want %s, %s or %s", ref, ref.Strategy, layer.Newest, layer.NewestPatch, layer.Oldest)
	}
	found, err := v.tags(ctx, ref)
	if err != nil {
		return layer.Pin{}, err
	}
	tag := found[0]
	switch ref.Strategy {
	case layer.Oldest:
		tag = found[len(found)-1]
	case layer.NewestPatch:
		tag = version.NewestPatch(found)
	default: // the newest, which is first
	}
	registry := cmp.Or(strings.TrimSuffix(ref.Registry, "/"), "registry")
	if !strings.Contains(registry, "://") {
		registry = "oci://" + registry + ".test"
	}
	repository := registry + "/" + ref.Name
	return layer.Pin{Ref: ref, Repository: repository, Resolved: tag, Digest: digest.FromString(repository + ":" + tag)}, nil
}

// Versions returns the versions that satisfy ref, newest first. Errors are
// those of [Versions.Resolve].
func (v Versions) Versions(ctx context.Context, ref layer.Ref) ([]string, error) {
	found, err := v.tags(ctx, ref)
	for i, tag := range found {
		found[i] = version.FromTag(tag)
	}
	return found, err
}

func (v Versions) tags(ctx context.Context, ref layer.Ref) ([]string, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	anywhere := layer.Ref{Format: ref.Format, Name: ref.Name}
	there := layer.Ref{Format: ref.Format, Registry: ref.Registry, Name: ref.Name}
	all, ok := v[there.String()]
	if !ok {
		all, ok = v[anywhere.String()]
	}
	if !ok {
		return nil, fmt.Errorf("%s: %w", ref, layer.ErrNotFound)
	}
	found, err := version.Select(ref.Version, all)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", ref, err)
	}
	if len(found) == 0 {
		return nil, fmt.Errorf("%s: %w; there is %s", ref, layer.ErrNoVersion, strings.Join(all, ", "))
	}
	return found, nil
}

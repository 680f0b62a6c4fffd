package registry

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/opencontainers/go-digest"

	"github.com/strata-go/strata/internal/version"
	"github.com/strata-go/strata/layer"
)

// maxListed bounds how many versions an error lists.
const maxListed = 10

// Versions returns the versions that satisfy ref, newest first, with "+" where
// their tags have "_". There is at least one, or else the error wraps
// [layer.ErrNoVersion]; if no registry has the name at all, it wraps
// [layer.ErrNotFound], and if several have it, [ErrAmbiguous]. The strategy of
// ref and a digest in its version do not matter.
func (c *Client) Versions(ctx context.Context, ref layer.Ref) ([]string, error) {
	defer c.burst.enter()()
	constraint, _, err := splitDigest(ref.Version)
	if err != nil {
		return nil, fail("versions", ref, "", err)
	}
	_, tags, err := c.find(ctx, ref, constraint)
	if err != nil {
		return nil, fail("versions", ref, "", err)
	}
	for i, tag := range tags {
		tags[i] = version.FromTag(tag)
	}
	return tags, nil
}

// Resolve returns one of the versions that satisfy ref, which one depends on its
// strategy, with its digest. It always asks the registry; calls that overlap
// share lists of versions, for ten seconds at most.
//
// A version may end with "@" and a digest, "1.2.3@sha256:...", or be nothing but
// a digest. Then that digest is the only one that will do: if the version is
// tagged otherwise, the error wraps [layer.ErrDigest]. Other errors are as in
// [Client.Versions].
func (c *Client) Resolve(ctx context.Context, ref layer.Ref) (layer.Pin, error) {
	defer c.burst.enter()()
	pin, err := c.resolve(ctx, ref)
	if err != nil {
		return layer.Pin{}, fail("resolve", ref, "", err)
	}
	return pin, nil
}

func (c *Client) resolve(ctx context.Context, ref layer.Ref) (layer.Pin, error) {
	if !ref.Strategy.Valid() {
		return layer.Pin{}, fmt.Errorf("strategy %q: want %s, %s or %s", ref.Strategy, layer.Newest, layer.NewestPatch, layer.Oldest)
	}
	constraint, want, err := splitDigest(ref.Version)
	if err != nil {
		return layer.Pin{}, err
	}
	if constraint == "" && want != "" {
		return c.resolveDigest(ctx, ref, want)
	}
	at, tags, err := c.find(ctx, ref, constraint)
	if err != nil {
		return layer.Pin{}, err
	}
	tag, d, err := at.pin(ctx, choose(tags, ref.Strategy))
	if err != nil {
		return layer.Pin{}, err
	}
	if want != "" && d != want {
		return layer.Pin{}, fmt.Errorf("%w: %s:%s is %s now", layer.ErrDigest, at, tag, d)
	}
	return layer.Pin{Ref: ref, Repository: at.String(), Resolved: tag, Digest: d}, nil
}

// resolveDigest returns the pin for a digest, whatever it is tagged as.
func (c *Client) resolveDigest(ctx context.Context, ref layer.Ref, want digest.Digest) (layer.Pin, error) {
	var mu sync.Mutex
	pins := map[place]layer.Pin{}
	at, err := c.ask(ref, func(p place) error {
		tag, d, err := p.pin(ctx, want.String())
		mu.Lock()
		defer mu.Unlock()
		pins[p] = layer.Pin{Ref: ref, Repository: p.String(), Resolved: tag, Digest: d}
		return err
	})
	return pins[at], err
}

// splitDigest takes the digest from the end of a version.
func splitDigest(text string) (constraint string, d digest.Digest, err error) {
	constraint, after, found := strings.Cut(text, "@")
	if !found {
		if !strings.HasPrefix(text, "sha256:") && !strings.HasPrefix(text, "sha512:") {
			return text, "", nil
		}
		constraint, after = "", text
	}
	d, err = digest.Parse(after)
	if err != nil {
		return "", "", fmt.Errorf("version %.200q: what follows @ is no digest: %w", text, err)
	}
	return strings.TrimSpace(constraint), d, nil
}

// choose returns one of tags, of which there is one at least, newest first.
func choose(tags []string, s layer.Strategy) string {
	switch s { //nolint:exhaustive // the newest is what is left
	case layer.Oldest:
		return tags[len(tags)-1]
	case layer.NewestPatch:
		return version.NewestPatch(tags)
	}
	return tags[0]
}

// find returns the place of ref, and its tags that satisfy the constraint,
// newest first.
func (c *Client) find(ctx context.Context, ref layer.Ref, constraint string) (place, []string, error) {
	var mu sync.Mutex
	found := map[place][]string{}
	at, err := c.ask(ref, func(p place) error {
		tags, err := p.tags(ctx)
		mu.Lock()
		defer mu.Unlock()
		found[p] = tags
		return err
	})
	if err != nil {
		return nil, nil, err
	}
	tags, err := version.Select(constraint, found[at])
	if err != nil || len(tags) == 0 {
		return nil, nil, noVersion(at, constraint, found[at], err)
	}
	return at, tags, nil
}

// ask asks all places where ref may be, at the same time, and returns the one
// that has it. If one of them cannot be asked, the others do not stand in for
// it: it may be the one that has it.
func (c *Client) ask(ref layer.Ref, question func(place) error) (place, error) {
	places, err := c.places(ref)
	if err != nil {
		return nil, err
	}
	errs := make([]error, len(places))
	var wg sync.WaitGroup
	for i, p := range places {
		wg.Go(func() { errs[i] = question(p) })
	}
	wg.Wait()
	var have []place
	for i, err := range errs {
		switch {
		case err == nil:
			have = append(have, places[i])
		case !errors.Is(err, layer.ErrNotFound):
			return nil, err
		}
	}
	switch len(have) {
	case 0:
		return nil, fmt.Errorf("%w: there is no %s", layer.ErrNotFound, join(places, " and no "))
	case 1:
		return have[0], nil
	}
	return nil, fmt.Errorf("%w: %s: say which one with the registry of the source", ErrAmbiguous, join(have, " and "))
}

// noVersion makes the error that says what there is instead.
func noVersion(at place, constraint string, tags []string, cause error) error {
	known := version.Known(tags)
	listed := slices.Clone(known[:min(len(known), maxListed)])
	for i, tag := range listed {
		listed[i] = version.FromTag(tag)
	}
	has := "no versions"
	if len(listed) > 0 {
		has = strings.Join(listed, ", ")
	}
	if more := len(known) - len(listed); more > 0 {
		has += fmt.Sprintf(", ... and %d more", more)
	}
	hint := ""
	if cause != nil {
		hint = "; " + cause.Error()
	} else if slices.ContainsFunc(known, prerelease) {
		hint = "; a pre-release is taken only if the constraint names one"
	}
	return fmt.Errorf("%w %q: %s has %s%s", layer.ErrNoVersion, constraint, at, has, hint)
}

func prerelease(tag string) bool {
	v, err := version.Parse(version.FromTag(tag))
	return err == nil && v.Prerelease()
}

func join(places []place, separator string) string {
	texts := make([]string, len(places))
	for i, p := range places {
		texts[i] = p.String()
	}
	return strings.Join(texts, separator)
}

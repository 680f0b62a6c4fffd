package reconcile

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/opencontainers/go-digest"

	"github.com/strata-go/strata/internal/inventory"
	"github.com/strata-go/strata/internal/render"
	"github.com/strata-go/strata/layer"
)

// releaseWork is a Helm release that a layer shall be.
type releaseWork struct {
	render.Release
	made     digest.Digest // what it consists of
	standing standing
	history  history // of the standings other than agreed, all of it
}

func (r *releaseWork) key() releaseKey { return releaseKey{r.Namespace, r.Name} }

// content is the short form of what the release consists of, for its record.
func (r *releaseWork) content() string { return r.made.Encoded()[:32] }

// digestOf identifies what a release consists of.
func digestOf(r render.Release) digest.Digest {
	// Values are YAML, so they are JSON as well.
	hooks := make([]string, len(r.Hooks))
	for i, h := range r.Hooks {
		hooks[i] = h.Manifest
	}
	data, _ := json.Marshal([]any{r.Chart.Name(), r.Chart.Version(), r.Values, r.Manifest, r.Notes, hooks})
	return digest.FromBytes(data)
}

// compareReleases finds out what became of the releases of a layer since the
// inventory was written, and of those that other tools made whether they may be
// taken over.
func (s *session) compareReleases(ctx context.Context, l *layerWork, was *inventory.Layer) error {
	l.releases = nil
	var errs []error
	for _, r := range l.output.Releases {
		w := releaseWork{Release: r, made: digestOf(r), history: s.releases[releaseKey{r.Namespace, r.Name}]}
		var known *inventory.Release
		if was != nil {
			known = was.Release(r.Name, r.Namespace)
		}
		var err error
		switch {
		case known == nil, known.Content == "": // taking it over may have been cut short
			w.history, err = s.strangers(ctx, w.key())
		case stand(known, w.history, w.content(), s.id) != agreed:
			w.history, err = s.revisions(ctx, w.key())
		}
		if err != nil {
			return err
		}
		w.standing = stand(known, w.history, w.content(), s.id)
		if w.standing == foreign {
			errs = append(errs, s.mayAdoptRelease(ctx, l, w))
		}
		errs = append(errs, w.history.busy(r.Name, time.Now()))
		l.releases = append(l.releases, w)
	}
	return errors.Join(errs...)
}

// mayAdoptRelease decides about a release that was there before us.
func (s *session) mayAdoptRelease(ctx context.Context, l *layerWork, r releaseWork) error {
	owner := r.history.last().owner
	switch policy := s.adopts(l.Adopt); {
	case policy == layer.AdoptAlways, policy == layer.AdoptIfUnowned && owner == "":
		return nil
	}
	by := fmt.Sprintf("the Helm release %q that another tool made", r.Name)
	if owner != "" {
		by = fmt.Sprintf("the Helm release %q of %s", r.Name, s.installation(ctx, owner))
	}
	return &ExistsError{ObjectRef(r.history.last().ref()), by, leastAdopt(owner)}
}

// disturbed reports whether records of the releases of a layer are otherwise
// than its last pass left them.
func (s *session) disturbed(was *inventory.Layer) bool {
	return was != nil && slices.ContainsFunc(was.Releases, func(r inventory.Release) bool {
		return stand(&r, s.releases[releaseKey{r.Namespace, r.Name}], "", s.id) != agreed
	})
}

// correct makes entry say of the releases of the layer what their records say,
// and that those which are to become otherwise are not yet what they should be.
func (l *layerWork) correct(entry *inventory.Layer) {
	for _, r := range l.releases {
		switch {
		case r.standing == agreed:
		case r.standing != vanished && r.history.installed():
			entry.SetRelease(inventory.Release{Name: r.Name, Namespace: r.Namespace, Revision: r.history.last().number})
		default:
			entry.DropRelease(r.Name, r.Namespace)
		}
		if known := entry.Release(r.Name, r.Namespace); known != nil && known.Content != r.made {
			known.Content = ""
		}
	}
}

// corrected returns the revisions of the releases of the layer before this one,
// where their records differ from what was known.
func (l *layerWork) corrected(known map[string]int) map[string]int {
	revisions := maps.Clone(known)
	for _, r := range l.releases {
		switch {
		case r.standing == agreed:
		case r.standing != vanished && r.history.installed():
			revisions[r.Name] = r.history.last().number
		default:
			delete(revisions, r.Name)
		}
	}
	return revisions
}

// released reports whether a release of the layer is otherwise than recorded.
func released(l *layerWork, entry *inventory.Layer) bool {
	return len(l.releases) != len(entry.Releases) || len(l.unrecorded(entry)) > 0
}

// unrecorded returns the releases of the layer that have no record as they are
// to be.
func (l *layerWork) unrecorded(entry *inventory.Layer) []releaseWork {
	return slices.DeleteFunc(slices.Clone(l.releases), func(r releaseWork) bool {
		was := entry.Release(r.Name, r.Namespace)
		return was != nil && was.Content == r.made
	})
}

// unbegun returns those of them of which nothing shows that they are being
// installed or upgraded.
func (l *layerWork) unbegun(entry *inventory.Layer) []releaseWork {
	return slices.DeleteFunc(l.unrecorded(entry), func(r releaseWork) bool { return r.history.open(r.content()) != nil })
}

// announceReleases keeps in mind what releases the layer will have, and what
// their hooks will make.
func (l *layerWork) announceReleases(entry *inventory.Layer) {
	for _, r := range l.unrecorded(entry) {
		if !entry.Expect(inventory.Release{Name: r.Name, Namespace: r.Namespace, Content: r.made}) {
			continue
		}
		for _, o := range l.hooks {
			if entry.Leftover(o.Key()) == nil {
				entry.Remember(o)
			}
		}
	}
}

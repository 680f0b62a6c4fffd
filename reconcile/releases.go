package reconcile

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/opencontainers/go-digest"

	"github.com/strata-go/strata/internal/helm"
	"github.com/strata-go/strata/internal/inventory"
	"github.com/strata-go/strata/internal/render"
	"github.com/strata-go/strata/layer"
)

// defaultHistory is how many records Helm keeps of a release.
const defaultHistory = 10

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

// beginReleases writes records that say that releases are being installed or
// upgraded, before the first change to the layer. Helm does so, too, and keeps
// off as long as it finds them: so its command and we do not work on the same
// release, and a run that was cut short shows. The price is one more write for
// each revision. A revision that failed is not begun anew with each try.
func (s *session) beginReleases(ctx context.Context, l *layerWork, entry *inventory.Layer) error {
	for _, r := range l.unbegun(entry) {
		h, err := s.move(ctx, r.history)
		if err != nil {
			return recording(r, err)
		}
		if err := s.freeRevisions(ctx, l.Name, h, 0); err != nil {
			return recording(r, err)
		}
		record := r.record(helm.StatusPendingInstall, "Initial install underway")
		switch upgrade := entry.Release(r.Name, r.Namespace) != nil; {
		case upgrade && s.back != "":
			record = r.record(helm.StatusPendingRollback, "Preparing rollback")
		case upgrade:
			record = r.record(helm.StatusPendingUpgrade, "Preparing upgrade")
		}
		if err := s.writeRecord(ctx, h, record, r.content()); err != nil {
			return recording(r, err)
		}
	}
	return nil
}

func recording(r releaseWork, err error) error {
	return fmt.Errorf("recording the Helm release %q: %w", r.Name, err)
}

func (r *releaseWork) record(status helm.Status, description string) helm.Record {
	return helm.Record{
		Name: r.Name, Namespace: r.Namespace, Status: status, Description: description,
		Chart: r.Chart, Values: r.Values, Manifest: r.Manifest, Notes: r.Notes, Hooks: r.Hooks,
	}
}

// recordReleases writes a record, as Helm would, of each release of a layer
// that has become ready: a new revision, unless it has one already.
func (s *session) recordReleases(ctx context.Context, l *layerWork, entry *inventory.Layer) error {
	if l.output == nil {
		return nil
	}
	for _, r := range l.unrecorded(entry) {
		revision, err := s.recordRelease(ctx, l.Name, r, entry.Release(r.Name, r.Namespace) != nil)
		if err != nil {
			return recording(r, err)
		}
		known := inventory.Release{Name: r.Name, Namespace: r.Namespace, Revision: revision, Content: r.made}
		entry.SetRelease(known)
		entry.ForgetRuns(known)
		entry.Arrive(known)
	}
	for _, r := range slices.Clone(entry.Releases) {
		if slices.ContainsFunc(l.releases, func(w releaseWork) bool { return w.Name == r.Name && w.Namespace == r.Namespace }) {
			continue
		}
		if err := s.deleteReleases(ctx, []inventory.Release{r}); err != nil {
			return err
		}
		entry.DropRelease(r.Name, r.Namespace)
	}
	return s.abandonReleases(ctx, entry)
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

// abandonReleases deletes our records of releases that were announced and that
// will not be.
func (s *session) abandonReleases(ctx context.Context, entry *inventory.Layer) error {
	for _, r := range entry.Coming {
		if entry.Release(r.Name, r.Namespace) != nil {
			continue // it stays as it was before
		}
		h, err := s.revisions(ctx, releaseKey{r.Namespace, r.Name})
		if err != nil {
			return err
		}
		h = slices.DeleteFunc(h, func(r revision) bool { return r.owner != s.id })
		if err := s.deleteRecords(ctx, h); err != nil {
			return err
		}
	}
	entry.Coming = nil
	return nil
}

// recordRelease records that a release is deployed, and those before it as
// superseded. It returns the number of the revision.
func (s *session) recordRelease(ctx context.Context, layer string, r releaseWork, upgrade bool) (int, error) {
	h, err := s.revisions(ctx, r.key())
	if err != nil {
		return 0, err
	}
	description := "Install complete"
	if same := h.like(r.content()); upgrade && s.back != "" && same > 0 {
		description = fmt.Sprintf("Rollback to %d", same)
	} else if upgrade {
		description = "Upgrade complete"
	}
	number := h.next()
	if open := h.open(r.content()); open == nil || open.status == helm.StatusFailed {
		err = s.writeRecord(ctx, h, r.record(helm.StatusDeployed, description), r.content())
	} else {
		number = open.number
		err = s.complete(ctx, *open, description)
	}
	if err != nil {
		return 0, err
	}
	for _, before := range h {
		if before.status != helm.StatusDeployed || before.number == number {
			continue
		}
		if err := s.setStatus(ctx, before, helm.StatusChange{Status: helm.StatusSuperseded}); err != nil {
			return 0, err
		}
	}
	if err := s.freeRevisions(ctx, layer, h, number); err != nil {
		return 0, err
	}
	return number, s.deleteRecords(ctx, h.excess(number, cmp.Or(s.HistoryLimit, defaultHistory)))
}

// complete makes a revision that is under way a deployed one.
func (s *session) complete(ctx context.Context, open revision, description string) error {
	if open.status == helm.StatusDeployed {
		return nil
	}
	return s.setStatus(ctx, open, helm.StatusChange{Status: helm.StatusDeployed, Description: description})
}

// maxDescription bounds what a record says of a failure, in bytes.
const maxDescription = 4 << 10

// failReleases records that releases which were begun have failed for good.
func (s *session) failReleases(ctx context.Context, l *layerWork, entry *inventory.Layer, cause error) error {
	for _, r := range l.unrecorded(entry) {
		h, err := s.revisions(ctx, r.key())
		if err != nil {
			return recording(r, err)
		}
		open := h.open(r.content())
		if open == nil || open.status == helm.StatusDeployed {
			continue // it was not begun
		}
		what := "Release"
		if entry.Release(r.Name, r.Namespace) != nil {
			what = "Upgrade"
		}
		description := fmt.Sprintf("%s %q failed: %v", what, r.Name, s.redacted(cause))
		if len(description) > maxDescription {
			description = strings.ToValidUTF8(description[:maxDescription], "") + " ..."
		}
		if err := s.setStatus(ctx, *open, helm.StatusChange{Status: helm.StatusFailed, Description: description}); err != nil {
			return recording(r, err)
		}
	}
	return nil
}

// beginUninstall records that the releases of a layer are being uninstalled.
func (s *session) beginUninstall(ctx context.Context, entry *inventory.Layer) error {
	for _, r := range entry.Releases {
		h, err := s.revisions(ctx, releaseKey{r.Namespace, r.Name})
		if err != nil {
			return err
		}
		last := h.last()
		if last == nil || last.status == helm.StatusUninstalling {
			continue
		}
		if err := s.setStatus(ctx, *last, helm.StatusChange{Status: helm.StatusUninstalling, Description: "Deletion in progress (or silently failed)"}); err != nil {
			return err
		}
	}
	return nil
}

// deleteReleases deletes all records of the releases, as helm uninstall does.
func (s *session) deleteReleases(ctx context.Context, releases []inventory.Release) error {
	for _, r := range releases {
		h, err := s.revisions(ctx, releaseKey{r.Namespace, r.Name})
		if err != nil {
			return err
		}
		if err := s.deleteRecords(ctx, h); err != nil {
			return err
		}
	}
	return nil
}

package reconcile

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/strata-go/strata/internal/helm"
	"github.com/strata-go/strata/internal/inventory"
)

// defaultHistory is how many records Helm keeps of a release.
const defaultHistory = 10

// maxDescription bounds what a record says of a failure, in bytes.
const maxDescription = 4 << 10

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

package reconcile

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/strata-go/strata/internal/helm"
	"github.com/strata-go/strata/internal/inventory"
)

// contentAnnotation says, on a record that we wrote, what the revision consists
// of. It is no label: Helm's rollback copies the labels of a record to its own.
const contentAnnotation = "strata.dev/content"

// A revision is what the metadata of a Helm record says.
type revision struct {
	number    int
	status    helm.Status
	content   string // "" if another tool wrote the record, or wrote to it
	owner     string // the installation whose release it is; "" if it is nobody's
	namespace string
	secret    string
	mapped    bool // it is in a ConfigMap of that name
	uid       types.UID
	written   time.Time
}

// A history is the revisions of one release, the oldest first.
type history []revision

// historyOf reads the metadata of the records of one release.
func historyOf(records []metav1.PartialObjectMetadata) history {
	h := make(history, 0, len(records))
	for _, m := range records {
		h = append(h, revisionOf(m))
	}
	slices.SortFunc(h, func(a, b revision) int { return cmp.Compare(a.number, b.number) })
	return h
}

func revisionOf(m metav1.PartialObjectMetadata) revision {
	number, _ := strconv.Atoi(m.Labels["version"])
	written := m.CreationTimestamp.Time
	for _, label := range []string{"createdAt", "modifiedAt"} {
		if unix, err := strconv.ParseInt(m.Labels[label], 10, 64); err == nil {
			written = time.Unix(unix, 0)
		}
	}
	return revision{
		number: number, status: helm.Status(m.Labels["status"]), content: m.Annotations[contentAnnotation],
		owner: m.Labels[inventory.PartOf], namespace: m.Namespace, secret: m.Name, uid: m.UID, written: written,
	}
}

// last returns the newest revision, or nil.
func (h history) last() *revision {
	if len(h) == 0 {
		return nil
	}
	return &h[len(h)-1]
}

// next returns the number of the revision to come.
func (h history) next() int {
	if last := h.last(); last != nil {
		return last.number + 1
	}
	return 1
}

// open returns the newest revision if we wrote it for this content and it is to
// go on with: it is under way, deployed, or failed and may be tried again.
func (h history) open(content string) *revision {
	last := h.last()
	if last == nil || last.content != content || !last.status.Pending() && last.status != helm.StatusDeployed && last.status != helm.StatusFailed {
		return nil
	}
	return last
}

// like returns the number of the newest superseded revision that we wrote for
// this content, or 0.
func (h history) like(content string) int {
	for _, r := range slices.Backward(h) {
		if r.content == content && r.status == helm.StatusSuperseded {
			return r.number
		}
	}
	return 0
}

// installed reports whether the release is on the cluster: since it was last
// uninstalled a revision of it was deployed, or another tool tried to.
func (h history) installed() bool {
	is := false
	for _, r := range h {
		switch r.status {
		case helm.StatusUninstalled, helm.StatusUninstalling:
			is = false
		case helm.StatusDeployed, helm.StatusSuperseded:
			is = true
		case helm.StatusFailed:
			is = is || r.content == ""
		case helm.StatusPendingInstall, helm.StatusPendingUpgrade, helm.StatusPendingRollback: // nobody knows
		}
	}
	return is
}

// excess returns the oldest revisions before the one that is deployed now, so
// many that no more than limit are left, that one counted. A negative limit is
// none.
func (h history) excess(deployed, limit int) history {
	var before history
	for _, r := range h {
		if r.number < deployed {
			before = append(before, r)
		}
	}
	if limit < 0 {
		return nil
	}
	return before[:max(0, len(before)+1-limit)]
}

// stuckAfter is how long an operation of another tool is left alone. Helm gives
// up after as long, if nobody says otherwise.
const stuckAfter = 5 * time.Minute

// A PendingError says that another tool is changing a Helm release, as far as
// its record tells. It helps to try again: if the record stays as it is, the
// tool is taken for dead after five minutes, and the release is gone on with.
type PendingError struct {
	Release, Namespace string
	Revision           int
	Status             string // in Helm's words: "pending-upgrade"
	Since              time.Time
}

func (e *PendingError) Error() string {
	return fmt.Sprintf("another tool is changing the Helm release %s/%s: revision %d is %s since %s; if the tool is gone, others go on after %s",
		e.Namespace, e.Release, e.Revision, e.Status, e.Since.UTC().Format(time.RFC3339), stuckAfter)
}

// Retryable reports that it helps to try again.
func (e *PendingError) Retryable() bool { return true }

// A standing is what records say of a release, compared with the inventory.
type standing int

const (
	agreed    standing = iota // the records are as we left them
	vanished                  // it was uninstalled
	disturbed                 // revisions of another tool came, or ours went
	foreign                   // it is another tool's, or another installation's
)

// stand compares what the inventory has of a release, or nil, with its records.
// The content is what the release is to become.
func stand(was *inventory.Release, h history, content, id string) standing {
	last := h.last()
	switch {
	case was == nil && last == nil:
		return agreed
	case was == nil && last.owner != id:
		return foreign
	case was == nil && (!h.installed() || h.open(content) != nil):
		return agreed // a run was cut short before it wrote the inventory
	case was == nil:
		return disturbed
	case last == nil || last.status == helm.StatusUninstalled || last.status == helm.StatusUninstalling:
		return vanished
	case last.content != "" && last.number >= was.Revision:
		return agreed
	case last.status != helm.StatusDeployed || last.number != was.Revision:
		return disturbed
	}
	return agreed
}

// busy returns a [*PendingError] if another tool is changing the release.
func (h history) busy(release string, now time.Time) error {
	last := h.last()
	if last == nil || last.content != "" || !last.status.Pending() || now.Sub(last.written) > stuckAfter {
		return nil
	}
	return &PendingError{release, last.namespace, last.number, string(last.status), last.written}
}

package helm

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/strata-go/strata/internal/manifest"
	"helm.sh/helm/v3/pkg/release"
)

// An Event is a moment in the life of a release at which hooks run.
type Event string

// The events.
const (
	PreInstall   Event = "pre-install"
	PostInstall  Event = "post-install"
	PreUpgrade   Event = "pre-upgrade"
	PostUpgrade  Event = "post-upgrade"
	PreRollback  Event = "pre-rollback"
	PostRollback Event = "post-rollback"
	PreDelete    Event = "pre-delete"
	PostDelete   Event = "post-delete"
	Test         Event = "test" // only when somebody asks for tests
)

// A DeletePolicy says when the object of a hook is deleted.
type DeletePolicy string

// The delete policies. Without any, Helm acts as with DeleteBeforeCreation.
const (
	DeleteSucceeded      DeletePolicy = "hook-succeeded"
	DeleteFailed         DeletePolicy = "hook-failed"
	DeleteBeforeCreation DeletePolicy = "before-hook-creation"
)

// A Hook is an object that is no part of the release, but is made and waited
// for at certain events.
type Hook struct {
	Object         manifest.Object
	Manifest       string // the text of Object
	Events         []Event
	Weight         int // hooks of one event run by weight, lowest first
	DeletePolicies []DeletePolicy
	// LogPolicies say after which outcome Helm prints the hook's logs.
	LogPolicies []string
}

// An unknownEventError says that a hook is left out, as Helm does.
type unknownEventError struct {
	object manifest.Object
	event  Event
}

func (e *unknownEventError) Error() string {
	return fmt.Sprintf("%s:%d: hook event %q is unknown: %s is left out",
		e.object.Source, e.object.Line, e.event, e.object.Key())
}

// newHook reads the hook annotations of o. It returns nil if o is no hook, and
// an [*unknownEventError] for a hook that is never run.
func newHook(o manifest.Object, text string) (*Hook, error) {
	annotations := o.GetAnnotations()
	names, ok := annotations[release.HookAnnotation]
	if !ok {
		return nil, nil
	}
	h := &Hook{Object: o, Manifest: text}
	for _, name := range list(names) {
		event := Event(name)
		if name == "test-success" { // as Helm 2 called it
			event = Test
		}
		if !slices.Contains(events, event) {
			return nil, &unknownEventError{o, event}
		}
		h.Events = append(h.Events, event)
	}
	// Helm takes a weight that is no number for 0.
	h.Weight, _ = strconv.Atoi(annotations[release.HookWeightAnnotation])
	if policies, ok := annotations[release.HookDeleteAnnotation]; ok {
		for _, p := range list(policies) {
			h.DeletePolicies = append(h.DeletePolicies, DeletePolicy(p))
		}
	}
	if policies, ok := annotations[release.HookOutputLogAnnotation]; ok {
		h.LogPolicies = list(policies)
	}
	return h, nil
}

// events is constant.
var events = []Event{PreInstall, PostInstall, PreUpgrade, PostUpgrade, PreRollback, PostRollback, PreDelete, PostDelete, Test}

// list reads an annotation that lists words.
func list(text string) []string {
	var words []string
	for word := range strings.SplitSeq(text, ",") {
		words = append(words, strings.ToLower(strings.TrimSpace(word)))
	}
	return words
}

// onlyTests reports whether nothing but Helm's test command runs h.
func (h *Hook) onlyTests() bool {
	return !slices.ContainsFunc(h.Events, func(e Event) bool { return e != Test })
}

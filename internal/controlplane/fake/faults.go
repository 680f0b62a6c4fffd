package fake

import (
	"errors"
	"fmt"
	"time"
)

// The annotations; the package comment says what they mean.
const (
	failAnnotation        = "strata.dev/test-fail"
	pendingAnnotation     = "strata.dev/test-pending"
	imagePullAnnotation   = "strata.dev/test-image-pull"
	readyAfterAnnotation  = "strata.dev/test-ready-after"
	finishAfterAnnotation = "strata.dev/test-finish-after"
	crashAnnotation       = "strata.dev/test-crash"
	restartedAnnotation   = "strata.dev/test-restarted"
)

// faults are what an object asks for with its annotations.
type faults struct {
	fail        bool
	pending     bool
	imagePull   bool
	readyAfter  time.Duration
	finishAfter time.Duration
	crash       string // the container
	restarted   string // the container
}

// faultsOf reads the annotations. A wrong value is an error and not ignored:
// otherwise a test would pass because its fault never happened.
func faultsOf(annotations map[string]string) (faults, error) {
	f := faults{crash: annotations[crashAnnotation], restarted: annotations[restartedAnnotation]}
	var errs []error
	for _, flag := range []struct {
		annotation, on string
		to             *bool
	}{
		{failAnnotation, "true", &f.fail},
		{pendingAnnotation, "true", &f.pending},
		{imagePullAnnotation, "fail", &f.imagePull},
	} {
		value, set := annotations[flag.annotation]
		*flag.to = set && value == flag.on
		if set && value != flag.on && value != "" && value != "false" {
			errs = append(errs, fmt.Errorf("annotation %s: %q is not %q", flag.annotation, value, flag.on))
		}
	}
	for _, wait := range []struct {
		annotation string
		to         *time.Duration
	}{
		{readyAfterAnnotation, &f.readyAfter},
		{finishAfterAnnotation, &f.finishAfter},
	} {
		value, set := annotations[wait.annotation]
		if !set {
			continue
		}
		d, err := time.ParseDuration(value)
		if err != nil {
			errs = append(errs, fmt.Errorf("annotation %s: %w", wait.annotation, err))
		}
		*wait.to = d
	}
	return f, errors.Join(errs...)
}

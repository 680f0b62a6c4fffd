package main

import (
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"k8s.io/klog/v2"
)

// endRequested returns a channel that is closed when standard input ends or a
// signal asks the process to end.
func endRequested() <-chan struct{} {
	// A parent that was killed leaves broken pipes behind. Writing to one must
	// not kill this process before it has removed its directory.
	signal.Ignore(syscall.SIGPIPE)

	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP)
	input := make(chan struct{})
	go func() {
		defer close(input)
		_, _ = io.Copy(io.Discard, os.Stdin) // an error ends the input as well
	}()

	end := make(chan struct{})
	go func() {
		defer close(end)
		select {
		case <-signals:
		case <-input:
		}
	}()
	return end
}

// failureChan carries the reason why the process cannot go on.
type failureChan chan error

// failures returns a channel for failures, and turns the exits that components
// make through klog into failures, so that the directory is removed then too.
func failures() failureChan {
	failed := make(failureChan, 1)
	klog.OsExit = func(code int) {
		failed.report(fmt.Errorf("a component asked the process to exit with code %d", code))
		select {} // the caller does not expect to go on
	}
	return failed
}

// report records err unless a failure is recorded already: the first is the cause.
func (f failureChan) report(err error) {
	select {
	case f <- err:
	default:
	}
}

// run calls a component that is meant to run for good, and reports its end.
func (f failureChan) run(name string, component func() error) {
	err := component()
	if err == nil {
		err = fmt.Errorf("it ended without an error")
	}
	f.report(fmt.Errorf("running %s: %w", name, err))
}

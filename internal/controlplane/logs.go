package main

import (
	"flag"
	"fmt"
	"os"

	"k8s.io/client-go/rest"
	"k8s.io/klog/v2"
)

// logToFile sends what the Kubernetes components log to one file, so that stderr
// stays free for the cause of a failure.
func logToFile(path string) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return fmt.Errorf("opening the log: %w", err)
	}
	flags := flag.NewFlagSet("klog", flag.ContinueOnError)
	klog.InitFlags(flags)
	for name, value := range map[string]string{
		"logtostderr":     "false",
		"stderrthreshold": "FATAL",
		"one_output":      "true", // otherwise a line appears once for each lower severity
	} {
		if err := flags.Set(name, value); err != nil {
			return fmt.Errorf("setting the log flag %s: %w", name, err)
		}
	}
	klog.SetOutput(f)
	// The controllers use deprecated APIs on purpose: their warnings help nobody.
	rest.SetDefaultWarningHandler(rest.NoWarnings{})
	return nil
}

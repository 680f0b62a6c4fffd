package fake

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/klog/v2"
)

// logAnnotation is what the containers of a pod say in their logs.
const logAnnotation = "strata.dev/test-log"

// logAddress is where the API server finds the kubelet. The address of the node
// is one that nothing answers at.
const logAddress = "127.0.0.1"

// serveLogs serves the part of the kubelet's API that gives logs, until ctx is
// done, and returns its port. Whoever can reach it may ask: the logs are what
// the annotations of pods say.
func (k *kubelet) serveLogs(ctx context.Context, certificate tls.Certificate) (int32, error) {
	listener, err := tls.Listen("tcp", net.JoinHostPort(logAddress, "0"), &tls.Config{
		Certificates: []tls.Certificate{certificate}, MinVersion: tls.VersionTLS12, NextProtos: []string{"http/1.1"},
	})
	if err != nil {
		return 0, fmt.Errorf("listening for those who ask for logs: %w", err)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /containerLogs/{namespace}/{pod}/{container}", k.containerLog)
	server := &http.Server{Handler: mux, ReadHeaderTimeout: 10 * time.Second}
	context.AfterFunc(ctx, func() { _ = server.Close() })
	go func() {
		if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			klog.FromContext(ctx).Error(err, "Fake: logs are no longer served")
		}
	}()
	address, ok := listener.Addr().(*net.TCPAddr)
	if !ok {
		return 0, fmt.Errorf("listening for those who ask for logs: %v is no TCP address", listener.Addr())
	}
	return int32(address.Port), nil //nolint:gosec // a port has 16 bits
}

// containerLog answers with the log of a container.
func (k *kubelet) containerLog(w http.ResponseWriter, r *http.Request) {
	pod, err := k.pods.Pods(r.PathValue("namespace")).Get(r.PathValue("pod"))
	if err != nil {
		http.Error(w, err.Error(), http.StatusNotFound)
		return
	}
	log, err := logOf(pod, r.PathValue("container"), r.URL.Query().Get("previous") == "true")
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	//nolint:gosec // it is text, and no browser reads it
	_, _ = io.WriteString(w, excerpt(log, r.URL.Query().Get("tailLines"), r.URL.Query().Get("limitBytes")))
}

// logOf returns what a container says, or said before it was restarted. Of one
// that waits to be restarted a kubelet gives the latter in both cases.
func logOf(pod *corev1.Pod, container string, previous bool) (string, error) {
	statuses := slices.Concat(pod.Status.InitContainerStatuses, pod.Status.ContainerStatuses)
	i := slices.IndexFunc(statuses, func(s corev1.ContainerStatus) bool { return s.Name == container })
	switch {
	case i >= 0 && statuses[i].LastTerminationState.Terminated != nil && (previous || statuses[i].State.Waiting != nil):
		return pod.Annotations[logAnnotation+"-before"], nil
	case previous:
		return "", fmt.Errorf("previous terminated container %q in pod %q not found", container, pod.Name)
	case i < 0 || statuses[i].State.Waiting != nil:
		return "", fmt.Errorf("container %q in pod %q is waiting to start", container, pod.Name)
	}
	if own, ok := pod.Annotations[logAnnotation+"-"+container]; ok {
		return own, nil
	}
	return pod.Annotations[logAnnotation], nil
}

// excerpt returns the last lines of a log, and of these the first bytes. What is
// no number sets no limit.
func excerpt(log, tailLines, limitBytes string) string {
	if log != "" && !strings.HasSuffix(log, "\n") {
		log += "\n"
	}
	if n, err := strconv.Atoi(tailLines); err == nil {
		lines := strings.SplitAfter(log, "\n")
		log = strings.Join(lines[max(0, len(lines)-1-n):], "")
	}
	if n, err := strconv.Atoi(limitBytes); err == nil {
		log = log[:min(n, len(log))]
	}
	return log
}

package reconciletest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
)

// helperVariable makes the test binary a program that starts a control plane and
// waits to be killed.
const helperVariable = "STRATA_TEST_HELPER"

func TestMain(m *testing.M) {
	if os.Getenv(helperVariable) != "" {
		if err := holdControlPlane(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
	os.Exit(m.Run())
}

// trace is what a control plane leaves on a machine while it runs.
type trace struct {
	PID  int
	Dir  string
	Host string
}

func traceOf(c *Cluster) trace {
	return trace{PID: c.process.cmd.Process.Pid, Dir: c.dir, Host: strings.TrimPrefix(c.Config.Host, "https://")}
}

func holdControlPlane() error {
	cluster, err := StartControlPlane(context.Background(), os.Stderr)
	if err != nil {
		return err
	}
	if err := json.NewEncoder(os.Stdout).Encode(traceOf(cluster)); err != nil {
		return errors.Join(err, cluster.Close())
	}
	select {}
}

func TestCloseLeavesNothing(t *testing.T) {
	needsControlPlane(t)
	cluster := start(t)
	left := traceOf(cluster)
	if info, err := os.Stat(left.Dir); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("the directory is %v (%v), want mode 0700", info, err)
	}
	if err := cluster.Close(); err != nil {
		t.Fatal(err)
	}
	if what := remains(left); what != nil {
		t.Error(what)
	}
	if err := cluster.Close(); err != nil {
		t.Errorf("closing again: %v", err)
	}
}

func TestEndsWithKilledParent(t *testing.T) {
	needsControlPlane(t)
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	parent := exec.Command(self)
	parent.Env = append(os.Environ(), helperVariable+"=1")
	parent.Stderr = t.Output()
	stdout, err := parent.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := parent.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = parent.Process.Kill() }) // it is dead unless the test failed
	var left trace
	if err := json.NewDecoder(stdout).Decode(&left); err != nil {
		t.Fatal(err)
	}
	if what := remains(left); what == nil {
		t.Fatal("the control plane does not run before its parent is killed")
	}
	if err := parent.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = parent.Wait() // says that it was killed

	end := time.Now().Add(deadline)
	for what := remains(left); what != nil; what = remains(left) {
		if time.Now().After(end) {
			t.Fatal(what)
		}
		time.Sleep(10 * time.Millisecond)
	}
}

func TestKilledControlPlaneIsReported(t *testing.T) {
	needsControlPlane(t)
	cluster := start(t)
	left := traceOf(cluster)
	if err := cluster.process.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	<-cluster.process.ended
	if err := cluster.Close(); err == nil {
		t.Error("closing says nothing about a control plane that was killed")
	}
	if what := remains(left); what != nil {
		t.Error(what)
	}
}

func TestCancelledStart(t *testing.T) {
	needsControlPlane(t)
	t.Setenv("TMPDIR", t.TempDir())
	ctx, cancel := context.WithCancel(t.Context())
	// The first thing it says comes when it is far from ready.
	_, err := StartControlPlane(ctx, writerFunc(func([]byte) { cancel() }))
	if !errors.Is(err, context.Canceled) {
		t.Errorf("starting: %v, want it cancelled", err)
	}
	if left, err := filepath.Glob(filepath.Join(os.TempDir(), "*")); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v (%v)", left, err)
	}
}

// The tests below need no control plane.

func TestNotBuilt(t *testing.T) {
	t.Setenv("STRATA_CONTROLPLANE", "")
	t.Setenv("STRATA_CACHE", t.TempDir())
	_, err := StartControlPlane(t.Context(), nil)
	if !errors.Is(err, ErrNotBuilt) || !errors.Is(err, fs.ErrNotExist) {
		t.Fatalf("starting: %v, want %v", err, ErrNotBuilt)
	}
	for _, want := range []string{"make controlplane", filepath.Join(os.Getenv("STRATA_CACHE"), "strata", "controlplane-v1.36.3")} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q is not in the error: %v", want, err)
		}
	}
}

func TestBinaryThatFails(t *testing.T) {
	for name, test := range map[string]struct{ script, want string }{
		"with a cause":  {"echo the port is taken >&2; exit 1", "the port is taken"},
		"with no line":  {"exit 0", "ended by itself"},
		"with nonsense": {"echo hello; cat >/dev/null", "reading what it printed"},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "controlplane")
			if err := os.WriteFile(path, []byte("#!/bin/sh\n"+test.script+"\n"), 0o700); err != nil {
				t.Fatal(err)
			}
			t.Setenv("STRATA_CONTROLPLANE", path)
			var progress bytes.Buffer
			_, err := StartControlPlane(t.Context(), &progress)
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("starting: %v, want %q in it", err, test.want)
			}
		})
	}
}

func TestTailKeepsTheEnd(t *testing.T) {
	var kept tail
	for i := range 3 * tailSize / 10 {
		fmt.Fprintf(&kept, "%09d\n", i)
	}
	text := kept.String()
	if len(text) != tailSize || !strings.HasSuffix(text, fmt.Sprintf("%09d\n", 3*tailSize/10-1)) {
		t.Errorf("kept %d bytes that end in %q", len(text), text[max(0, len(text)-10):])
	}
}

// remains returns what is left of a control plane, nil for nothing.
func remains(left trace) error {
	if running(left.PID) {
		return fmt.Errorf("process %d still runs", left.PID)
	}
	if conn, err := net.Dial("tcp", left.Host); err == nil {
		return errors.Join(fmt.Errorf("somebody listens on %s", left.Host), conn.Close())
	}
	if _, err := os.Stat(left.Dir); !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("the directory %s: %w, want it gone", left.Dir, err)
	}
	return nil
}

type writerFunc func([]byte)

func (f writerFunc) Write(b []byte) (int, error) { f(b); return len(b), nil }

func TestRestart(t *testing.T) {
	needsControlPlane(t)
	cluster := start(t)
	client, err := kubernetes.NewForConfig(cluster.Config)
	if err != nil {
		t.Fatal(err)
	}
	kept := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "kept"}}
	if _, err := client.CoreV1().ConfigMaps("default").Create(t.Context(), kept, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	if err := cluster.Kill(); err != nil {
		t.Fatal(err)
	}
	if _, err := client.CoreV1().ConfigMaps("default").Get(t.Context(), "kept", metav1.GetOptions{}); err == nil {
		t.Error("a control plane that was killed answers")
	}
	if err := cluster.Restart(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := client.CoreV1().ConfigMaps("default").Get(t.Context(), "kept", metav1.GetOptions{}); err != nil {
		t.Errorf("after the restart: %v", err)
	}
	left := traceOf(cluster)
	if err := cluster.Close(); err != nil {
		t.Error(err)
	}
	if what := remains(left); what != nil {
		t.Error(what)
	}
}

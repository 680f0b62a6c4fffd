package reconcile_test

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/strata-go/strata/profile"
)

// asError returns the error of type E in err.
func asError[E error](t *testing.T, err error) E {
	t.Helper()
	var e E
	if !errors.As(err, &e) {
		t.Fatalf("error = %v (%T), want a %T", err, err, e)
	}
	return e
}

// id is the ApplySet ID of the installation, worked out as KEP-3659 says.
func (l *life) id() string {
	sum := sha256.Sum256([]byte("strata-" + l.target.Name + "." + l.target.Namespace + ".Secret."))
	return "applyset-" + base64.RawURLEncoding.EncodeToString(sum[:]) + "-v1"
}

// helmBinary builds Helm's own command, of the version that go.mod has, once
// for each machine.
var helmBinary = sync.OnceValues(func() (string, error) {
	version, err := exec.Command("go", "list", "-m", "-f", "{{.Version}}", "helm.sh/helm/v3").Output()
	if err != nil {
		return "", err
	}
	cache := os.Getenv("STRATA_CACHE")
	if cache == "" {
		if cache, err = os.UserCacheDir(); err != nil {
			return "", err
		}
	}
	v := strings.TrimSpace(string(version))
	dir := filepath.Join(cache, "strata", "helm-"+v)
	binary := filepath.Join(dir, "helm")
	if _, err := os.Stat(binary); err == nil {
		return binary, nil
	}
	fmt.Fprintln(os.Stderr, "building Helm's own command, once for this machine; it may take some minutes")
	install := exec.Command("go", "install", "-trimpath", "helm.sh/helm/v3/cmd/helm@"+v)
	install.Env = append(os.Environ(), "GOBIN="+dir, "CGO_ENABLED=0", "GOFLAGS=-mod=mod")
	if out, err := install.CombinedOutput(); err != nil {
		return "", errors.New(string(out))
	}
	return binary, nil
})

// helm runs Helm's own command on the cluster.
func (l *life) helm(args ...string) string {
	l.Helper()
	out, err := l.tryHelm(args...)
	if err != nil {
		l.Fatalf("helm %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return out
}

// tryHelm returns what Helm's own command says, and whether it fails.
func (l *life) tryHelm(args ...string) (string, error) {
	l.Helper()
	binary, err := helmBinary()
	if err != nil {
		l.Fatalf("building helm: %v", err)
	}
	kubeconfig := filepath.Join(l.TempDir(), "kubeconfig")
	if err := os.WriteFile(kubeconfig, shared.Kubeconfig, 0o600); err != nil {
		l.Fatal(err)
	}
	out, err := exec.CommandContext(l.ctx, binary, append(args, "--kubeconfig", kubeconfig)...).CombinedOutput()
	return string(out), err
}

// keepsHelmRecords checks that Helm's own command knows the releases.
func (l *life) keepsHelmRecords(d *profile.Desired) {
	list := l.helm("list", "-A")
	for _, want := range []string{"web", "web-1.0.1", "app-cache", "cache-0.1.0", "life-app"} {
		if !strings.Contains(list, want) {
			l.Errorf("helm list has no %q:\n%s", want, list)
		}
	}
	if n := strings.Count(list, "deployed"); n < 2 {
		l.Errorf("helm list has %d deployed releases, want both:\n%s", n, list)
	}
	for args, want := range map[string]string{
		"get manifest web -n life-web": "kind: Deployment",
		"get values web -n life-web":   "replicas: 2",
		"get notes web -n life-web":    "It says hello.",
		"history web -n life-web":      "Install complete",
	} {
		if got := l.helm(strings.Fields(args)...); !strings.Contains(got, want) {
			l.Errorf("helm %s says\n%s\nwant %q", args, got, want)
		}
	}
}

func fmtUnix(t time.Time) string { return strconv.FormatInt(t.Unix(), 10) }

// withStatus returns the data of a Helm record with another status.
func withStatus(t *testing.T, record *corev1.Secret, status string) []byte {
	t.Helper()
	packed, err := base64.StdEncoding.DecodeString(string(record.Data["release"]))
	if err != nil {
		t.Fatal(err)
	}
	z, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		t.Fatal(err)
	}
	var content map[string]any
	if err := json.NewDecoder(z).Decode(&content); err != nil {
		t.Fatal(err)
	}
	content["info"].(map[string]any)["status"] = status
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if err := errors.Join(json.NewEncoder(w).Encode(content), w.Close()); err != nil {
		t.Fatal(err)
	}
	return []byte(base64.StdEncoding.EncodeToString(b.Bytes()))
}

// seedOf returns the seed of a test that makes choices: STRATA_TEST_SEED, or a
// new one.
func seedOf(t *testing.T) uint64 {
	t.Helper()
	text := os.Getenv("STRATA_TEST_SEED")
	if text == "" {
		return rand.Uint64()
	}
	seed, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return seed
}

// stride returns how far it is to the next try of a series: up to most, or 1 if
// STRATA_TEST_LONG is set.
func stride(random *rand.Rand, most int) int {
	if os.Getenv("STRATA_TEST_LONG") != "" {
		return 1
	}
	return 1 + random.IntN(most)
}

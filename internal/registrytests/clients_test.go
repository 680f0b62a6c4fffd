package registrytests

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/strata-go/strata/layer"
)

var build = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "registrytests-")
	if err != nil {
		return "", err
	}
	command := exec.Command("go", "build", "-o", dir+string(filepath.Separator), "helm.sh/helm/v3/cmd/helm", "oras.land/oras/cmd/oras")
	command.Env = append(os.Environ(), "CGO_ENABLED=0")
	out, err := command.CombinedOutput()
	if err != nil {
		err = fmt.Errorf("building helm and oras: %w\n%s", err, out)
	}
	return dir, err
})

func TestMain(m *testing.M) {
	code := m.Run()
	if dir, err := build(); err == nil && strings.Contains(dir, "registrytests-") {
		_ = os.RemoveAll(dir)
	}
	os.Exit(code)
}

// tools returns the folder of helm and oras, built from their modules.
func tools(t *testing.T) string {
	t.Helper()
	dir, err := build()
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// run runs helm or oras, in a folder, with what it needs to talk to s.
func run(t *testing.T, dir string, s server, tool string, args ...string) ([]byte, error) {
	t.Helper()
	home := t.TempDir()
	ca := filepath.Join(home, "ca.pem")
	if err := os.WriteFile(ca, s.ca, 0o600); err != nil {
		t.Fatal(err)
	}
	if s.ca != nil {
		args = append(args, "--ca-file", ca)
	} else {
		args = append(args, "--plain-http")
	}
	if s.auth {
		args = append(args, "--username", user, "--password", password)
	}
	command := exec.CommandContext(t.Context(), filepath.Join(tools(t), tool), args...)
	command.Dir = dir
	command.Env = append(os.Environ(), "HOME="+home, "DOCKER_CONFIG="+home)
	var stderr bytes.Buffer
	command.Stderr = &stderr
	out, err := command.Output()
	if err != nil {
		err = fmt.Errorf("%s %s: %w\n%s", tool, args[0], err, &stderr)
	}
	return out, err
}

func mustRun(t *testing.T, dir string, s server, tool string, args ...string) {
	t.Helper()
	if _, err := run(t, dir, s, tool, args...); err != nil {
		t.Fatal(err)
	}
}

// helm reads what we write, and we read what helm writes.
func TestHelm(t *testing.T) {
	for name, s := range servers(t) {
		t.Run(name, func(t *testing.T) {
			client, dir := s.client(t), t.TempDir()
			if _, err := client.PushChart(t.Context(), s.url()+"/ours", chartFiles("1.2.3+up.1")); err != nil {
				t.Fatal(err)
			}
			mustRun(t, dir, s, "helm", "pull", s.url()+"/ours/web", "--version", "^1", "--untar")
			same(t, os.DirFS(filepath.Join(dir, "web")), chartFiles("1.2.3+up.1"))

			if out, err := exec.Command(filepath.Join(tools(t), "helm"), "package", filepath.Join(dir, "web"), "-d", dir).CombinedOutput(); err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
			mustRun(t, dir, s, "helm", "push", "web-1.2.3+up.1.tgz", s.url()+"/theirs")
			pin, err := client.Resolve(t.Context(), layer.Ref{Format: layer.FormatHelm, Registry: s.url() + "/theirs", Name: "web", Version: "1.x"})
			if err != nil || pin.Resolved != "1.2.3_up.1" {
				t.Fatalf("got %v, %v", pin, err)
			}
			files, err := client.Fetch(t.Context(), pin)
			if err != nil {
				t.Fatal(err)
			}
			chart := chartFiles("1.2.3+up.1")
			delete(chart, "Chart.yaml") // helm writes it in its own way
			same(t, files, chart)
		})
	}
}

// oras reads our packs and profiles, and we read packs that were pushed as the
// documentation of Palette says.
func TestORAS(t *testing.T) {
	for name, s := range servers(t) {
		t.Run(name, func(t *testing.T) {
			client, dir := s.client(t), t.TempDir()
			if _, err := client.PushPack(t.Context(), "it", packFiles("1.2.3")); err != nil {
				t.Fatal(err)
			}
			if _, err := client.PushProfile(t.Context(), "it", []byte(profile)); err != nil {
				t.Fatal(err)
			}
			mustRun(t, dir, s, "oras", "pull", s.host+"/strata-profiles/base:1.0.0")
			if data, err := os.ReadFile(filepath.Join(dir, "profile.yaml")); err != nil || string(data) != profile {
				t.Errorf("got %q, %v", data, err)
			}
			const archive = "p-1.2.3.tar.gz"
			mustRun(t, dir, s, "oras", "pull", s.host+"/spectro-packs/archive/p:1.2.x")
			if out, err := exec.Command("tar", "-xzf", filepath.Join(dir, archive), "-C", dir).CombinedOutput(); err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
			same(t, os.DirFS(filepath.Join(dir, "p-1.2.3")), packFiles("1.2.3"))

			mustRun(t, dir, s, "oras", "push", s.host+"/theirs/spectro-packs/archive/p:1.2.3", archive)
			pin, err := client.Resolve(t.Context(), layer.Ref{Format: layer.FormatPack, Registry: s.url() + "/theirs", Name: "p", Version: "1.2.x"})
			if err != nil {
				t.Fatal(err)
			}
			files, err := client.Fetch(t.Context(), pin)
			if err != nil {
				t.Fatal(err)
			}
			same(t, files, packFiles("1.2.3"))
		})
	}
}

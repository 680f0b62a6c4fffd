package registry_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"github.com/strata-go/strata/layer"
	"github.com/strata-go/strata/registry"
	"github.com/strata-go/strata/registry/registrytest"
)

// A job is what another process is to fetch.
type job struct {
	Pin      layer.Pin
	Host     string
	CacheDir string
}

// TestMain lets the test binary be the other process.
func TestMain(m *testing.M) {
	if text := os.Getenv("REGISTRY_TEST_JOB"); text != "" {
		var j job
		err := json.Unmarshal([]byte(text), &j)
		if err == nil {
			client := &registry.Client{CacheDir: j.CacheDir, PlainHTTP: []string{j.Host}, HTTPClient: &http.Client{}}
			_, err = client.Fetch(context.Background(), j.Pin)
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

func TestProcessesDownloadOnce(t *testing.T) {
	t.Parallel()
	s := registrytest.New(t)
	pin := pushPacks(t, s, "p", "1.0.0")
	s.Inject(registrytest.Fault{Times: -1, Delay: 300 * time.Millisecond}) // so that all wait for one
	dir := t.TempDir()
	text, err := json.Marshal(job{pin, s.Host, dir})
	if err != nil {
		t.Fatal(err)
	}
	before := s.Requests()
	var wg sync.WaitGroup
	for range 3 {
		wg.Go(func() {
			cmd := exec.CommandContext(t.Context(), os.Args[0])
			cmd.Env = append(os.Environ(), "REGISTRY_TEST_JOB="+string(text))
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Errorf("%v: %s", err, out)
			}
		})
	}
	for range 8 {
		wg.Go(func() {
			client := s.Client()
			client.CacheDir = dir
			if _, err := client.Fetch(t.Context(), pin); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if n := s.Requests() - before; n != 2 {
		t.Errorf("%d requests; want one for the manifest and one for the content", n)
	}
	if left := files(t, dir); len(left) != 2 {
		t.Errorf("in the cache: %q", left)
	}
}

// files returns the files below a folder.
func files(t *testing.T, dir string) []string {
	t.Helper()
	return cached(t, &registry.Client{CacheDir: dir})
}

// What a process that died has left behind is in nobody's way, and goes.
func TestCacheAfterCrash(t *testing.T) {
	t.Parallel()
	s := registrytest.New(t)
	pin := pushPacks(t, s, "p", "1.0.0")
	client := s.Client()
	lock := filepath.Join(client.CacheDir, "locks", "sha256-"+pin.Digest.Encoded())
	half := filepath.Join(client.CacheDir, "blobs", "sha256", pin.Digest.Encoded()+".partial-1")
	for _, file := range []string{lock, half} {
		if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte("x"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	long := time.Now().Add(-25 * time.Hour)
	if err := os.Chtimes(half, long, long); err != nil {
		t.Fatal(err)
	}
	if _, err := client.Fetch(t.Context(), pin); err != nil {
		t.Fatal(err)
	}
	if left := cached(t, client); len(left) != 2 {
		t.Errorf("in the cache: %q", left)
	}
}

// bulky returns a pack whose artifact has at least that many bytes.
func bulky(name string, size int) fstest.MapFS {
	files := packFiles(name, "1.0.0")
	noise := make([]byte, size)
	x := uint32(1)
	for i := range noise { // does not compress
		x ^= x << 13
		x ^= x >> 17
		x ^= x << 5
		noise[i] = byte(x)
	}
	files["noise.bin"] = &fstest.MapFile{Data: noise}
	return files
}

func TestCacheEvicts(t *testing.T) {
	t.Parallel()
	s := registrytest.New(t)
	pins := map[string]layer.Pin{}
	for _, name := range []string{"a", "b", "c"} {
		pin, err := s.Client().PushPack(t.Context(), "test", bulky(name, 100<<10))
		if err != nil {
			t.Fatal(err)
		}
		pins[name] = pin
	}
	client := s.Client()
	client.CacheBytes = 250 << 10 // two of them
	fetch := func(name string) (requests int) {
		t.Helper()
		before := s.Requests()
		if _, err := client.Fetch(t.Context(), pins[name]); err != nil {
			t.Fatal(err)
		}
		return s.Requests() - before
	}
	age := func(d time.Duration) {
		for _, file := range cached(t, client) {
			info, err := os.Stat(file)
			if err == nil {
				err = os.Chtimes(file, info.ModTime(), info.ModTime().Add(-d))
			}
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	fetch("a")
	age(2 * time.Hour)
	fetch("b")
	age(time.Hour)
	if n := fetch("a"); n != 0 { // now b is the one not used for longest
		t.Fatalf("%d requests for what is in the cache", n)
	}
	fetch("c")
	var total int64
	for _, file := range cached(t, client) {
		info, err := os.Stat(file)
		if err != nil {
			t.Fatal(err)
		}
		total += info.Size()
	}
	if total > client.CacheBytes {
		t.Errorf("the cache has %d bytes, allowed are %d", total, client.CacheBytes)
	}
	if a, c := fetch("a"), fetch("c"); a != 0 || c != 0 {
		t.Errorf("%d and %d requests for what was used last", a, c)
	}
	if n := fetch("b"); n == 0 {
		t.Error("b was not evicted")
	}

	// What is larger than the cache is fetched all the same.
	client = s.Client()
	client.CacheBytes = 1
	for range 2 {
		if _, err := client.Fetch(t.Context(), pins["a"]); err != nil {
			t.Error(err)
		}
	}
}

// Whoever waits for another's download gives up with its context.
func TestWaitingForAnotherIsCancelled(t *testing.T) {
	t.Parallel()
	s := registrytest.New(t)
	pin := pushPacks(t, s, "p", "1.0.0")
	s.Inject(registrytest.Fault{Hang: true, Times: -1})
	ctx, cancel := context.WithCancel(t.Context())
	first := s.Client()
	done := make(chan error)
	go func() { _, err := first.Fetch(ctx, pin); done <- err }()
	for s.Requests() < 5 { // of pushing, and one of fetching
		time.Sleep(time.Millisecond)
		if matches, _ := filepath.Glob(filepath.Join(first.CacheDir, "locks", "*")); len(matches) > 0 {
			break
		}
	}
	second := s.Client()
	second.CacheDir = first.CacheDir
	short, stop := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer stop()
	if _, err := second.Fetch(short, pin); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v; want context.DeadlineExceeded", err)
	}
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Errorf("got %v; want context.Canceled", err)
	}
	if left := cached(t, first); len(left) != 0 {
		t.Errorf("left in the cache: %q", left)
	}
}

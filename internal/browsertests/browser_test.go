package browsertests

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// A browser is a chromium without a window. What it complains about is kept.
type browser struct {
	*testing.T
	ctx context.Context // it is how chromedp names a browser

	mu         sync.Mutex
	complaints []string
}

// newBrowser starts chromium. Without it the test is skipped, but not in CI.
func newBrowser(ctx context.Context, t *testing.T) *browser {
	t.Helper()
	if testing.Short() {
		t.Skip("starts a browser")
	}
	binary, err := exec.LookPath("chromium")
	if err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal("chromium is not installed: apt-get install chromium")
		}
		t.Skip("chromium is not installed")
	}
	allocated, end := chromedp.NewExecAllocator(ctx, chromedp.ExecPath(binary), chromedp.UserDataDir(t.TempDir()), chromedp.NoFirstRun,
		chromedp.Headless, chromedp.NoSandbox, chromedp.DisableGPU, chromedp.Flag("disable-background-networking", true),
		chromedp.Flag("disable-component-update", true), chromedp.Flag("disable-sync", true), chromedp.Flag("disable-dev-shm-usage", true))
	t.Cleanup(end)
	b := &browser{T: t}
	var closed context.CancelFunc
	b.ctx, closed = chromedp.NewContext(allocated)
	t.Cleanup(closed)
	if err := chromedp.Listen(b.ctx, b.listen); err != nil { //nolint:contextcheck // it comes from ctx
		t.Fatal(err)
	}
	call(b, log.Enable, cdp.Empty{})
	call(b, runtime.Enable, cdp.Empty{})
	return b
}

// listen keeps what goes wrong: exceptions, what is printed, and what the
// browser itself says, such as what the policy of a page forbids.
func (b *browser) listen(event any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch e := event.(type) {
	case *runtime.EventExceptionThrown:
		b.complaints = append(b.complaints, e.ExceptionDetails.Text)
	case *runtime.EventConsoleAPICalled:
		for _, arg := range e.Args {
			b.complaints = append(b.complaints, fmt.Sprintf("%s %+v", e.Type, *arg))
		}
	case *log.EventEntryAdded:
		b.complaints = append(b.complaints, e.Entry.Text+" "+e.Entry.URL)
	}
}

// get runs an action and returns what it does.
func get[T any](b *browser, action chromedp.Action[T]) T {
	b.Helper()
	value, err := chromedp.Run(b.ctx, action)
	if err != nil {
		b.Fatalf("%v; the browser says %v", err, b.said())
	}
	return value
}

// call sends a command to the browser.
func call[P, R any](b *browser, command cdp.Command[P, R], params P) {
	b.Helper()
	get(b, chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, command, params)
		return err
	}))
}

// text returns what the page shows.
func (b *browser) text() string { return get(b, chromedp.Evaluate[string]("document.body.innerText")) }

func (b *browser) said() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.complaints
}

// waitFor waits until an expression of JavaScript is true. It asks from outside:
// the policy of a page forbids it to make functions of text.
func (b *browser) waitFor(expression string) {
	b.Helper()
	for end := time.Now().Add(time.Minute); !get(b, chromedp.Evaluate[bool](expression)); {
		if time.Now().After(end) {
			b.Fatalf("%s does not become true; the browser says %v, the page\n%s", expression, b.said(), b.text())
		}
		get(b, chromedp.Sleep(50*time.Millisecond))
	}
}

// wants checks that the page shows texts.
func (b *browser) wants(texts ...string) {
	b.Helper()
	shown := b.text()
	for _, want := range texts {
		if !strings.Contains(shown, want) {
			b.Errorf("the page does not show %q but\n%s", want, shown)
		}
	}
}

// screenshot keeps a picture of the whole page where STRATA_SCREENSHOTS says.
func (b *browser) screenshot(name string) {
	b.Helper()
	png := get(b, chromedp.FullScreenshot(100))
	dir := os.Getenv("STRATA_SCREENSHOTS")
	if dir == "" {
		dir = b.TempDir()
	}
	if err := os.WriteFile(filepath.Join(dir, name+".png"), png, 0o600); err != nil {
		b.Fatal(err)
	}
}

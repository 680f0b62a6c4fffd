package reconciletest

import (
	"bytes"
	"io"
	"sync"
)

// firstLine is a writer that sends the first line written to it, once, and
// drops everything after.
type firstLine struct {
	line chan []byte // has room for the line
	text []byte
	sent bool
}

func newFirstLine() *firstLine { return &firstLine{line: make(chan []byte, 1)} }

func (f *firstLine) Write(b []byte) (int, error) {
	if f.sent {
		return len(b), nil
	}
	f.text = append(f.text, b...)
	if line, _, complete := bytes.Cut(f.text, []byte("\n")); complete {
		f.line <- line
		f.sent = true
	}
	return len(b), nil
}

// tailSize is enough for the cause of a failure and the log lines before it.
const tailSize = 16 << 10

// tail is a writer that keeps the end of what is written to it, and copies all of
// it to another writer for a while.
type tail struct {
	mu   sync.Mutex
	text []byte
	also io.Writer
}

func (t *tail) Write(b []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.text = append(t.text, b...)
	if extra := len(t.text) - tailSize; extra > 0 {
		t.text = append(t.text[:0], t.text[extra:]...)
	}
	if t.also != nil {
		_, _ = t.also.Write(b) // what we keep matters more
	}
	return len(b), nil
}

// stopCopying lets go of the other writer.
func (t *tail) stopCopying() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.also = nil
}

func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return string(t.text)
}

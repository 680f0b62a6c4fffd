package reconciletest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"time"
)

// stopTimeout is how long the process has to remove its files before it is
// killed. It needs some milliseconds, and more on a machine that is busy.
const stopTimeout = 10 * time.Second

// process is the control plane as a child of this process. It ends when its
// standard input ends, and this process alone holds the other end of that pipe.
type process struct {
	cmd    *exec.Cmd
	cancel context.CancelFunc // asks it to end
	stdout *firstLine
	stderr *tail
	ended  chan struct{} // closed when it is gone and reaped
	err    error         // of Wait; set before ended is closed
}

// startup is the line that the control plane prints when it can be used.
type startup struct {
	Version    string `json:"version"`
	Kubeconfig string `json:"kubeconfig"`
	Dir        string `json:"dir"`
}

func startProcess(progress io.Writer, path string, args ...string) (*process, error) {
	ctx, cancel := context.WithCancel(context.Background())
	p := &process{
		cmd:    exec.CommandContext(ctx, path, args...), //nolint:gosec // it is the binary that the caller has built
		cancel: cancel,
		stdout: newFirstLine(),
		stderr: &tail{also: progress},
		ended:  make(chan struct{}),
	}
	stdin, err := p.cmd.StdinPipe()
	if err != nil {
		cancel()
		return nil, err
	}
	p.cmd.Cancel = stdin.Close
	p.cmd.WaitDelay = stopTimeout
	p.cmd.Stdout, p.cmd.Stderr = p.stdout, p.stderr
	p.cmd.SysProcAttr = ownGroup()
	if err := p.cmd.Start(); err != nil {
		cancel()
		return nil, err
	}
	go func() {
		defer close(p.ended)
		p.err = p.cmd.Wait()
	}()
	return p, nil
}

// await returns what the process prints when it can be used.
func (p *process) await(ctx context.Context) (startup, error) {
	defer p.stderr.stopCopying()
	var said startup
	select {
	case line := <-p.stdout.line:
		if err := json.Unmarshal(line, &said); err != nil {
			return said, fmt.Errorf("reading what it printed: %w", err)
		}
		return said, nil
	case <-p.ended:
		return said, p.stop()
	case <-ctx.Done():
		return said, fmt.Errorf("%w; it said:\n%s", context.Cause(ctx), p.stderr)
	}
}

// kill ends the process at once, which leaves everything as it is.
func (p *process) kill() error {
	err := p.cmd.Process.Kill()
	<-p.ended
	p.cancel()
	return err
}

// stop ends the process if it still runs, and returns when it is gone. The error
// says that it had ended by itself, or had to be killed.
func (p *process) stop() error {
	p.cancel()
	<-p.ended
	switch {
	case errors.Is(p.err, context.Canceled):
		return nil // it ended because it was asked to
	case p.err == nil:
		return fmt.Errorf("the control plane ended by itself; it said:\n%s", p.stderr)
	default:
		return fmt.Errorf("the control plane failed: %w; it said:\n%s", p.err, p.stderr)
	}
}

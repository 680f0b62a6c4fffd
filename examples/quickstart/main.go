// Command quickstart shows the whole life of a cluster that Strata keeps: made
// of packs and charts from a registry, looked at, repaired, changed and deleted.
//
//	go run ./quickstart
//
// It brings its own control plane and registry. With -kubeconfig it uses a
// cluster of yours instead. The files under content are what it installs.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
)

const usage = `Quickstart installs a small stack on a cluster, changes it in several ways,
and deletes it. Without -kubeconfig it starts a test control plane for that.

`

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second Ctrl-C ends the program at once
	err := run(ctx, os.Args[1:], os.Stdout)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "quickstart:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, out io.Writer) (err error) {
	l := &life{out: out}
	flags := flag.NewFlagSet("quickstart", flag.ContinueOnError)
	flags.StringVar(&l.kubeconfig, "kubeconfig", "", "use the cluster of this `file`, not one of our own")
	flags.StringVar(&l.context, "context", "", "use this context of the kubeconfig, not the current `name`")
	flags.BoolVar(&l.keep, "keep", false, "leave everything in place at the end, and say how to look at it")
	flags.StringVar(&l.folder, "o", "", "write the status as a picture, as JSON and as a bill of materials to this `folder`, not to a temporary one")
	flags.SetOutput(io.Discard) // main shows the error
	switch err := flags.Parse(args); {
	case errors.Is(err, flag.ErrHelp):
		fmt.Fprint(out, usage)
		flags.SetOutput(out)
		flags.PrintDefaults()
		return nil
	case err != nil:
		return fmt.Errorf("%w; see -h", err)
	case flags.NArg() > 0:
		return fmt.Errorf("unknown argument %q; see -h", flags.Arg(0))
	case l.context != "" && l.kubeconfig == "":
		return errors.New("-context needs -kubeconfig")
	}
	defer func() { err = errors.Join(err, l.close()) }()
	for i, s := range l.steps() {
		fmt.Fprintf(out, "\n== %d. %s · %s\n\n", i+1, s.title, s.calls)
		if err := s.do(ctx); err != nil {
			return l.explain(ctx, err)
		}
	}
	return nil
}

// explain says what an error leaves behind.
func (l *life) explain(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		err = errors.New("interrupted")
	}
	if l.kubeconfig != "" && l.touched {
		err = fmt.Errorf("%w\nwhat was installed is still there; run it again: it goes on from here, and deletes everything at the end", err)
	}
	return err
}

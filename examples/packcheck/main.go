// Command packcheck checks and renders packs, offline.
//
//	go run ./packcheck [-json] [-kube-version 1.33.0] [-set macro=value] DIR...
//
// It is for pack authors and their CI: it prints every problem with its place,
// and what each chart and manifest renders to. It exits with 1 if a pack has an
// error, and with 2 if it is called wrongly.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"strings"

	"github.com/strata-go/strata/pack/packlint"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	switch {
	case errors.Is(err, errProblems):
		os.Exit(1)
	case errors.Is(err, flag.ErrHelp): // and the flags were printed
	case err != nil:
		fmt.Fprintln(os.Stderr, "packcheck:", err)
		os.Exit(2)
	}
}

// errProblems says that a pack has an error, which is printed already.
var errProblems = errors.New("some packs have errors")

// A printer prints reports.
type printer interface {
	print(folder string, r *packlint.Report) error
}

func run(ctx context.Context, args []string, out, usage io.Writer) error {
	options := packlint.Options{Macros: map[string]string{}}
	flags := flag.NewFlagSet("packcheck", flag.ContinueOnError)
	flags.SetOutput(usage)
	asJSON := flags.Bool("json", false, "print one JSON object a line instead of a table")
	flags.StringVar(&options.KubeVersion, "kube-version", packlint.DefaultKubeVersion, "the `version` of Kubernetes to render for")
	flags.Func("set", "the value of a macro, as `macro=value`; may be given several times", func(text string) error {
		name, value, ok := strings.Cut(text, "=")
		if !ok {
			return errors.New("want macro=value")
		}
		options.Macros[macroPath(name)] = value
		return nil
	})
	if err := flags.Parse(args); err != nil {
		return err
	}
	if flags.NArg() == 0 {
		return errors.New("want the folder of a pack")
	}
	var p printer = &table{out: out}
	if *asJSON {
		p = lines{out}
	}
	return check(ctx, flags.Args(), options, p)
}

// macroPath accepts "var.x", "spectro.var.x" and ".spectro.var.x".
func macroPath(name string) string {
	name = strings.TrimPrefix(strings.TrimPrefix(strings.TrimSpace(name), "."), "spectro.")
	return "spectro." + name
}

// check checks one pack after the other and prints each at once, so that
// memory is that of one pack.
func check(ctx context.Context, folders []string, o packlint.Options, p printer) error {
	ok := true
	for _, folder := range folders {
		r, err := checkFolder(ctx, folder, o)
		if err != nil {
			return err
		}
		ok = ok && r.OK()
		name, err := filepath.Abs(folder)
		if err != nil {
			return err
		}
		if err := p.print(filepath.Base(name), r); err != nil {
			return err
		}
	}
	if !ok {
		return errProblems
	}
	return nil
}

func checkFolder(ctx context.Context, folder string, o packlint.Options) (*packlint.Report, error) {
	root, err := os.OpenRoot(folder) // which no link leads out of
	if err != nil {
		return nil, err
	}
	defer root.Close()
	return packlint.Check(ctx, root.FS(), o)
}

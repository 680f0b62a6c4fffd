package profiletest

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/strata-go/strata/internal/txtar"
	"github.com/strata-go/strata/profile"
)

// A caseError is a mistake in a case, not in what it tests.
type caseError struct{ error }

func (e caseError) Unwrap() error { return e.error }

// A stage is what a case gives at one time.
type stage struct {
	registry
	profiles []*profile.Profile // those in the files of the case
	notes    []profile.Note     // of an import
	imported bool
	composed *profile.Stack
	desired  *profile.Desired
	layers   []profile.PinnedLayer // those of desired, with their content
}

// An outcome is what became of a case.
type outcome struct {
	stage
	ctx    context.Context //nolint:containedctx // of the one test that the outcome is of
	before *stage          // nil if there is none
	lines  []string        // what to explain
}

// resolve resolves what a case gives. The error may be what it wants.
func resolve(ctx context.Context, a *txtar.Archive) (*outcome, error) {
	o := &outcome{ctx: ctx}
	if err := knownFiles(a); err != nil {
		return o, caseError{err}
	}
	if explain, ok := a.Get("explain"); ok {
		o.lines = strings.Split(strings.TrimSpace(explain), "\n")
	}
	if slices.ContainsFunc(a.Files, func(f txtar.File) bool { return strings.HasPrefix(f.Name, "before/") }) {
		o.before = &stage{}
		if err := o.before.load(ctx, earlier(a)); err != nil {
			return o, caseError{fmt.Errorf("before: %w", err)}
		}
	}
	if err := o.load(ctx, a); err != nil || o.desired == nil {
		return o, err
	}
	return o, o.check(a)
}

// earlier returns the files in before/. Versions, variables and system macros
// are those of now, if they are not there.
func earlier(a *txtar.Archive) *txtar.Archive {
	b := &txtar.Archive{}
	for _, f := range a.Files {
		if name, ok := strings.CutPrefix(f.Name, "before/"); ok {
			b.Set(name, f.Data)
		}
	}
	for _, name := range []string{"versions", "variables", "system"} {
		if data, ok := a.Get(name); ok {
			if _, ok := b.Get(name); !ok {
				b.Set(name, data)
			}
		}
	}
	return b
}

// knownFiles reports files at the top that a case does not have, most likely
// because their names are misspelled.
func knownFiles(a *txtar.Archive) error {
	known := []string{"stack", "versions", "variables", "system", "nodes", "lock.json", "palette.json", "explain"}
	for _, f := range a.Files {
		if !strings.Contains(f.Name, "/") && path.Ext(f.Name) != ".yaml" && !slices.Contains(known, f.Name) {
			return fmt.Errorf("there is no file %q in a case; want *.yaml or one of %s", f.Name, strings.Join(known, ", "))
		}
	}
	return nil
}

// load loads and resolves what a case gives at one time.
func (s *stage) load(ctx context.Context, a *txtar.Archive) error {
	s.files = overlay{a.FS(""), os.DirFS(".")}
	text, err := fs.ReadFile(s.files, "versions")
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return caseError{err}
	}
	if s.Versions, err = ParseVersions(string(text)); err != nil {
		return caseError{err}
	}
	stack, err := s.stack(ctx, a)
	if err != nil {
		return err
	}
	s.composed = stack
	var lock *profile.Lock
	if data, ok := a.Get("lock.json"); ok {
		if lock, err = profile.ParseLock([]byte(data)); err != nil {
			return err
		}
	}
	if s.imported && len(s.Versions) == 0 {
		return nil // it is about the import only
	}
	if s.desired, err = stack.Resolve(ctx, s.Versions, lock); err != nil {
		return err
	}
	return s.withContent()
}

// stack returns the stack that the files of a case make.
func (s *stage) stack(ctx context.Context, a *txtar.Archive) (*profile.Stack, error) {
	for _, name := range []string{"palette.json", "palette.yaml"} {
		if data, ok := a.Get(name); ok {
			p, notes, err := profile.ImportPalette([]byte(data), profile.PaletteOptions{})
			s.imported, s.notes = true, notes
			if err != nil {
				return nil, err
			}
			s.profiles = []*profile.Profile{p}
			return s.compose(a)
		}
	}
	if name, ok := a.Get("stack"); ok {
		return s.loadStack(ctx, strings.TrimSpace(name))
	}
	var files []string
	for _, f := range a.Files {
		if strings.Contains(f.Name, "/") || path.Ext(f.Name) != ".yaml" {
			continue
		}
		if kind(f.Data) != profile.StackKind {
			files = append(files, f.Name)
			continue
		}
		return s.loadStack(ctx, f.Name)
	}
	var errs []error
	for _, file := range files {
		p, err := profile.LoadFS(s.files, file)
		s.profiles, errs = append(s.profiles, p), append(errs, err)
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	return s.compose(a)
}

// loadStack loads a stack, and the profiles that it names.
func (s *stage) loadStack(ctx context.Context, file string) (*profile.Stack, error) {
	stack, err := profile.LoadStackFS(s.files, file)
	if err == nil && len(stack.References) > 0 {
		stack, err = stack.ResolveProfiles(ctx, s.registry, s.registry, nil)
	}
	if err == nil {
		s.profiles = stack.Profiles
	}
	return stack, err
}

func (s *stage) compose(a *txtar.Archive) (*profile.Stack, error) {
	stack, err := profile.Compose(s.profiles...)
	if err != nil {
		return nil, err
	}
	if stack.Variables, err = texts(a, "variables"); err == nil {
		stack.System, err = texts(a, "system")
	}
	return stack, err
}

// An overlay has the files of one file system, and those of another that are not
// there.
type overlay struct {
	fs.FS
	below fs.FS
}

// Open opens a file of either.
func (o overlay) Open(name string) (fs.File, error) {
	f, err := o.FS.Open(name)
	if errors.Is(err, fs.ErrNotExist) {
		return o.below.Open(name)
	}
	return f, err
}

// texts reads a file that is a mapping of texts.
func texts(a *txtar.Archive, name string) (map[string]string, error) {
	data, ok := a.Get(name)
	if !ok {
		return nil, nil
	}
	var nodes map[string]yaml.Node
	if err := yaml.Unmarshal([]byte(data), &nodes); err != nil {
		return nil, caseError{fmt.Errorf("%s: %w", name, err)}
	}
	values := map[string]string{}
	for key, n := range nodes {
		values[key] = n.Value // as it is written, not as YAML takes it
	}
	return values, nil
}

// kind returns the kind of a file, as far as it can be told from its text.
func kind(data string) string {
	for line := range strings.Lines(data) {
		if kind, ok := strings.CutPrefix(line, "kind:"); ok {
			return strings.TrimSpace(kind)
		}
	}
	return ""
}

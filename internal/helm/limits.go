package helm

import (
	"cmp"
	"context"
	"fmt"
)

// Limits bound what the templates of one chart may use. What real charts need
// is less than a tenth of the defaults.
type Limits struct {
	// Steps bounds the work: calls of functions and turns of loops, where dear
	// functions count as many. A step is about a microsecond. If zero, 10 million.
	Steps int64
	// Memory bounds the bytes of all texts and lists that templates make, kept
	// or not. No single one may have more than an eighth of it. If zero, 256 MiB.
	Memory int64
}

const (
	defaultSteps  = 10_000_000
	defaultMemory = 256 << 20
	// maxNesting bounds how deep blocks may stand in each other in one template.
	maxNesting = 1000
	// maxStack bounds how deep templates may include each other, each weighed by
	// the nesting of its blocks: far from what the stack of a goroutine holds.
	maxStack = 100_000
	// maxSame is how deep a template may include itself, as with Helm.
	maxSame = 1000
	// maxValueDepth bounds values in values, which functions descend into.
	maxValueDepth = 1000
	// maxArguments bounds the arguments of one call.
	maxArguments = 10_000
)

// A LimitError says that templates use more than they may. It is wrapped in a
// [*TemplateError], which has the place.
type LimitError struct {
	What  string // "steps", "memory", "text", "depth", "pattern" or "arguments"
	Limit int64
}

// Error says which limit it is, and how to raise it if it can be raised.
func (e *LimitError) Error() string {
	switch e.What {
	case "steps":
		return fmt.Sprintf("takes more than %d steps; if it is meant to, raise the limit Steps of templates", e.Limit)
	case "memory":
		return fmt.Sprintf("makes texts and lists of more than %d bytes in all; if it is meant to, raise the limit Memory of templates", e.Limit)
	case "text":
		return fmt.Sprintf("makes a text or a list of more than %d bytes; if it is meant to, raise the limit Memory of templates to eight times what it needs", e.Limit)
	case "depth":
		return fmt.Sprintf("nests more than %d deep: templates, blocks or values that hold themselves", e.Limit)
	case "pattern":
		return fmt.Sprintf("matches a pattern that takes more than %d steps on this text", e.Limit)
	}
	return fmt.Sprintf("is over the limit of %d %s", e.Limit, e.What)
}

// usage counts what one rendering uses. Its methods panic with an error:
// text/template makes an error of the panic of a function, and so does
// [run.protect] of any other.
type usage struct {
	ctx   context.Context //nolint:containedctx // functions of templates get no other argument
	limit Limits

	steps, memory int64
	stack         int
}

func newUsage(ctx context.Context, limit Limits) usage {
	return usage{ctx: ctx, limit: Limits{cmp.Or(limit.Steps, defaultSteps), cmp.Or(limit.Memory, defaultMemory)}}
}

// work counts steps, and ends the rendering if there were too many or ctx is done.
func (u *usage) work(steps int64) {
	u.steps += steps
	if u.steps > u.limit.Steps {
		panic(&LimitError{"steps", u.limit.Steps})
	}
	if err := u.ctx.Err(); err != nil {
		panic(err)
	}
}

// bytesPerStep is about what a function gets through in a microsecond.
const bytesPerStep = 512

// made counts a text or list of size bytes.
func (u *usage) made(size int64) {
	u.fits(size)
	u.memory += size
	if u.memory > u.limit.Memory {
		panic(&LimitError{"memory", u.limit.Memory})
	}
}

// fits ends the rendering if a text or list of size bytes may not be made.
func (u *usage) fits(size int64) {
	if size > u.largest() || size < 0 {
		panic(&LimitError{"text", u.largest()})
	}
}

func (u *usage) largest() int64 { return u.limit.Memory / 8 }

// enter and leave count how deep templates stand in each other.
func (u *usage) enter(weight int) string {
	u.stack += weight
	if u.stack > maxStack {
		panic(&LimitError{"depth", maxSame})
	}
	u.work(1)
	return ""
}

func (u *usage) leave(weight int) string {
	u.stack -= weight
	return ""
}

// turn counts a turn of a loop.
func (u *usage) turn() string {
	u.work(1)
	return ""
}

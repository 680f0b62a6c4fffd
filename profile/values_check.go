package profile

import (
	"errors"

	"github.com/strata-go/strata/internal/joined"
	"github.com/strata-go/strata/layer"
	"github.com/strata-go/strata/pack"
)

// checkValues checks the values against the schema of the pack.
func (l PinnedLayer) checkValues() error {
	if l.Format() != layer.FormatPack {
		return nil
	}
	f, err := l.scope.files()
	if err != nil || len(f.schema) == 0 {
		return err
	}
	documents, err := l.scope.documents(withoutCharts)
	if err != nil {
		return err
	}
	before, err := l.scope.merged(f.documents)
	if err != nil {
		return err
	}
	after, err := l.scope.merged(documents)
	if err != nil {
		return err
	}
	return errors.Join(l.schemaErrors(errors.Join(f.schema.Check(after), f.schema.CheckChange(before, after)))...)
}

// schemaErrors makes errors of the profile of what a schema reports.
func (l PinnedLayer) schemaErrors(err error) []error {
	from := l.scope.layers[l.scope.layer].from
	all := joined.Errors(err)
	for i, one := range all {
		if e, ok := errors.AsType[*pack.Error](one); ok {
			all[i] = from.errorf(ErrInvalid, "", "layer %q: value %s: %v", l.Name, e.Field, e.Err)
		}
	}
	return all
}

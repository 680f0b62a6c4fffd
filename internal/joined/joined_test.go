package joined

import (
	"errors"
	"fmt"
	"slices"
	"testing"
)

func TestErrors(t *testing.T) {
	t.Parallel()
	a, b, c := errors.New("a"), errors.New("b"), errors.New("c")
	wrapped := fmt.Errorf("around: %w", errors.Join(a, b))
	for _, tt := range []struct {
		err  error
		want []error
	}{
		{nil, nil},
		{a, []error{a}},
		{errors.Join(a, errors.Join(b, c), nil), []error{a, b, c}},
		{wrapped, []error{wrapped}}, // what is said around them would be lost
	} {
		if got := Errors(tt.err); !slices.Equal(got, tt.want) {
			t.Errorf("Errors(%v) = %v, want %v", tt.err, got, tt.want)
		}
	}
}

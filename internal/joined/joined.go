// Package joined takes apart what errors.Join put together.
package joined

// Errors returns the errors that were joined to err, and those that were joined
// to them, in their order: err alone if none were, and nothing if it is nil.
func Errors(err error) []error {
	if err == nil {
		return nil
	}
	list, ok := err.(interface{ Unwrap() []error })
	if !ok {
		return []error{err}
	}
	var all []error
	for _, err := range list.Unwrap() {
		all = append(all, Errors(err)...)
	}
	return all
}

package layer

import "time"

// A Duration is a time as Go and Helm write it: "90s", "40m", "1h30m".
type Duration string

// Valid reports whether d is more than no time, or not given.
func (d Duration) Valid() bool { return d == "" || d.Value() > 0 }

// Value returns d; zero if it is not given or not one.
func (d Duration) Value() time.Duration {
	v, err := time.ParseDuration(string(d))
	if err != nil {
		return 0
	}
	return v
}

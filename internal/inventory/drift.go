package inventory

import (
	"time"

	"github.com/opencontainers/go-digest"
)

// Drift is what is known of changes that others made to an object.
type Drift struct {
	// Held is the [kube.Held] of the object as it was looked at and left. While it
	// is the same there is nothing new to find. It is empty if nothing was left.
	Held digest.Digest `json:"held,omitempty"`
	// Until is when to look again although nothing changed; never, if zero.
	Until time.Time `json:"until,omitzero"`
	// Left are fields that are not as they were applied, and stay so.
	Left []Field `json:"left,omitempty"`
	// Disputes are fields that were repaired not long ago.
	Disputes []Dispute `json:"disputes,omitempty"`
}

// A Field is a field that somebody changed. It shows no sensitive value.
type Field struct {
	Field       string    `json:"field,omitempty"` // "" is the object as a whole
	Path        string    `json:"path,omitempty"`  // a JSON pointer
	Old         string    `json:"old,omitempty"`
	New         string    `json:"new,omitempty"`
	Manager     string    `json:"manager,omitempty"`
	Operation   string    `json:"operation,omitempty"`
	Subresource string    `json:"subresource,omitempty"`
	Time        time.Time `json:"time,omitzero"`
	Suspects    []string  `json:"suspects,omitempty"`
	Repairs     int       `json:"repairs,omitempty"`
}

// A Dispute is a field that was repaired, and may be changed again.
type Dispute struct {
	Path    string `json:"path,omitempty"`
	Manager string `json:"manager,omitempty"`
	// Value is the digest of what the manager made of it.
	Value digest.Digest `json:"value,omitempty"`
	// Repairs are how often it was repaired in a row, and Same how often of the
	// same value.
	Repairs int       `json:"repairs"`
	Same    int       `json:"same"`
	Last    time.Time `json:"last"`
}

// Of returns the dispute about a field, or the zero Dispute.
func (d *Drift) Of(path string) Dispute {
	if d != nil {
		for _, one := range d.Disputes {
			if one.Path == path {
				return one
			}
		}
	}
	return Dispute{}
}

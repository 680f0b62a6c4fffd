package reconciletest

import (
	"net/http"
	"net/url"
)

// A Request is a request as the client sent it. Requests are comparable.
type Request struct {
	Method string
	Path   string
	Query  string // encoded
	Faulty bool   // it met a fault
}

// String returns the request in one line.
func (r Request) String() string {
	s := r.Method + " " + r.Path
	if r.Query != "" {
		s += "?" + r.Query
	}
	return s
}

// DryRun reports whether the request is to change nothing.
func (r Request) DryRun() bool { return r.query().Get("dryRun") != "" }

// Watch reports whether the request is a watch.
func (r Request) Watch() bool {
	w := r.query().Get("watch")
	return w == "true" || w == "1"
}

// Write reports whether the request is meant to change something.
func (r Request) Write() bool { return r.Method != http.MethodGet && !r.DryRun() }

func (r Request) query() url.Values {
	values, _ := url.ParseQuery(r.Query) // what can be read of it will do
	return values
}

// Requests are requests in the order in which they came.
type Requests []Request

// Writes returns those that are meant to change something.
func (r Requests) Writes() Requests {
	var writes Requests
	for _, one := range r {
		if one.Write() {
			writes = append(writes, one)
		}
	}
	return writes
}

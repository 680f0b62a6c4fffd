package archive

import "io"

// Limits bound what an archive may unpack to. A field that is zero, or less,
// takes its default.
type Limits struct {
	Total   int64 // bytes in all, headers and padding included; 256 MiB
	File    int64 // bytes of one file; 64 MiB
	Entries int   // files and folders, those that are only implied included; 100,000
}

const (
	defaultTotal   = 256 << 20
	defaultFile    = 64 << 20
	defaultEntries = 100_000

	// maxName bounds a path, so that one entry cannot imply folders without
	// end. It is what Linux allows.
	maxName = 4096
)

func (l Limits) orDefault() Limits {
	if l.Total <= 0 {
		l.Total = defaultTotal
	}
	if l.File <= 0 {
		l.File = defaultFile
	}
	if l.Entries <= 0 {
		l.Entries = defaultEntries
	}
	return l
}

// A meter counts what is read through it, and fails once that is too much.
type meter struct {
	r   io.Reader
	n   int64
	max int64
}

func (m *meter) Read(p []byte) (int, error) {
	// One byte more than allowed is asked for, to tell "full" from "too much".
	if room := m.max - m.n + 1; int64(len(p)) > room {
		p = p[:room]
	}
	n, err := m.r.Read(p)
	m.n += int64(n)
	if m.n > m.max {
		return 0, &Error{Problem: TooLarge}
	}
	return n, err
}

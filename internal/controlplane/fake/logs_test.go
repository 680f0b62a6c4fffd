package fake

import "testing"

func TestExcerpt(t *testing.T) {
	for name, test := range map[string]struct{ log, lines, bytes, want string }{
		"whole":                         {"one\ntwo\n", "", "", "one\ntwo\n"},
		"last line is ended":            {"one\ntwo", "", "", "one\ntwo\n"},
		"last lines":                    {"one\ntwo\nthree", "2", "", "two\nthree\n"},
		"more than there is":            {"one", "9", "99", "one\n"},
		"first bytes of the last lines": {"one\ntwo\nthree", "2", "5", "two\nt"},
		"nothing":                       {"", "3", "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			if got := excerpt(test.log, test.lines, test.bytes); got != test.want {
				t.Errorf("excerpt: %q, want %q", got, test.want)
			}
		})
	}
}

func TestLogOf(t *testing.T) {
	pod := podWith(task, "crash", "init", "log", "now", "log-init", "first", "log-before", "then")
	pod.Status = *statusOf(pod, crashing(pod, "init"), &startedPod{})
	for name, test := range map[string]struct {
		container string
		previous  bool
		want      string
	}{
		"waits to be restarted": {"init", false, "then"},
		"before that":           {"init", true, "then"},
		"has not started":       {"main", false, `container "main" in pod "p" is waiting to start`},
		"was not restarted":     {"main", true, `previous terminated container "main" in pod "p" not found`},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := logOf(pod, test.container, test.previous)
			if err != nil {
				got = err.Error()
			}
			if got != test.want {
				t.Errorf("logOf: %q, want %q", got, test.want)
			}
		})
	}
}

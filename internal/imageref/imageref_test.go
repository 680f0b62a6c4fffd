package imageref_test

import (
	"testing"

	"github.com/strata-go/strata/internal/imageref"
)

func TestParse(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]imageref.Ref{
		"nginx":                     {Repository: "docker.io/library/nginx", Tag: "latest"},
		"docker.io/nginx:1":         {Repository: "docker.io/library/nginx", Tag: "1"},
		"index.docker.io/a/b":       {Repository: "docker.io/a/b", Tag: "latest"},
		"a/b:1@sha256:00":           {Repository: "docker.io/a/b", Tag: "1", Digest: "sha256:00"},
		"localhost/a":               {Repository: "localhost/a", Tag: "latest"},
		"host:5000/a/b":             {Repository: "host:5000/a/b", Tag: "latest"},
		"quay.io/a/b:v1":            {Repository: "quay.io/a/b", Tag: "v1"},
		"quay.io/a/b@sha256:abcdef": {Repository: "quay.io/a/b", Digest: "sha256:abcdef"},
	} {
		if got := imageref.Parse(text); got != want {
			t.Errorf("Parse(%q) = %+v, want %+v", text, got, want)
		}
	}
	for text, want := range map[string]string{"nginx": "docker.io/library/nginx:latest", "a/b:1@sha256:00": "docker.io/a/b@sha256:00"} {
		if got := imageref.Parse(text).String(); got != want {
			t.Errorf("%q in full is %q, want %q", text, got, want)
		}
	}
}

package registrytest_test

import (
	"io/fs"
	"testing"

	"github.com/strata-go/strata/registry/registrytest"
)

func TestClientConforms(t *testing.T) {
	t.Parallel()
	for name, options := range map[string]registrytest.Options{
		"open":  {},
		"basic": {User: "me", Password: "hunter2"},
		"token": {User: "me", Password: "hunter2", Token: true, TLS: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			registrytest.TestResolver(t, func(t testing.TB, packs ...fs.FS) registrytest.Resolver {
				s := registrytest.NewWith(t, options)
				client := s.Client()
				for _, p := range packs {
					if _, err := client.PushPack(t.Context(), "test", p); err != nil {
						t.Fatal(err)
					}
				}
				return client
			})
		})
	}
}

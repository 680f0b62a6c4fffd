package cosign_test

import (
	"fmt"
	"log"

	"github.com/strata-go/strata/registry"
	"github.com/strata-go/strata/registry/cosign"
)

// Only what this key has signed is fetched.
func Example() {
	keys, err := cosign.ParseKeys([]byte(`-----BEGIN PUBLIC KEY-----
MCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=
-----END PUBLIC KEY-----`)) // cosign.pub
	if err != nil {
		log.Fatal(err)
	}
	client := &registry.Client{Verifier: &cosign.Verifier{Keys: keys}}
	fmt.Println(len(keys), client.Verifier != nil)
	// Output: 1 true
}

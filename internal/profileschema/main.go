// Profileschema writes the JSON Schemas of the files that the package profile
// reads, from the Go types that they are read into. It runs in the folder of
// that package:
//
//	go generate ./profile
//
// Names come from the json tags, descriptions from the comments, the values of
// an enumeration from its constants.
package main

import (
	"fmt"
	"os"
	"path/filepath"
)

// roots are the types of whole files, by the file of their schema.
var roots = map[string]string{
	"clusterprofile.json": "document",
	"clusterstack.json":   "stackDocument",
}

func main() {
	for name, root := range roots {
		data, err := generate(".", root)
		if err == nil {
			err = os.WriteFile(filepath.Join("schema", name), data, 0o644) //nolint:gosec // everyone may read it
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, "profileschema:", err)
			os.Exit(1) //nolint:forbidigo // a program
		}
	}
}

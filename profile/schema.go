package profile

import _ "embed" // for the schemas

//go:generate go run ../internal/profileschema

//go:embed schema/clusterprofile.json
var profileSchema []byte

//go:embed schema/clusterstack.json
var stackSchema []byte

// Schema returns the JSON Schema of profile files, for editors and forms. What
// a schema cannot say, such as which layers a profile must have, only
// [Profile.Validate] checks.
func Schema() []byte { return append([]byte(nil), profileSchema...) }

// StackSchema returns the JSON Schema of stack files.
func StackSchema() []byte { return append([]byte(nil), stackSchema...) }

// Package compat holds no code. Its test installs every chart of a catalogue of
// real packs on a real API server, and some upon what they look for.
package compat

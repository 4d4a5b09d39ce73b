// Package garbage says how long a process lets garbage lie.
package garbage

import "runtime/debug"

const standard = 100 // percent, of Go

// Processes hold little and make much: letting garbage grow to more than what is in
// use before it is collected saves CPU for some MiB.
const (
	Twofold  = 200 // a worker saves a tenth of its CPU
	Fourfold = 400 // ingest, which holds next to nothing, saves an eighth
)

// Grow lets garbage grow to so many percent of what is in use. Whoever has set GOGC is
// obeyed, and who came first in this process.
func Grow(percent int) {
	if set := debug.SetGCPercent(percent); set != standard {
		debug.SetGCPercent(set)
	}
}

package app

import "runtime/debug"

// collectLess lets garbage grow to twice what is in use before it is collected: a
// worker holds little and makes much, and this saves it a tenth of its CPU for
// some MiB. Whoever has set GOGC is obeyed.
func collectLess() {
	const standard, ours = 100, 200
	if set := debug.SetGCPercent(ours); set != standard {
		debug.SetGCPercent(set)
	}
}

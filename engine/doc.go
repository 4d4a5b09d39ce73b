// Package engine is the pure core: Workflow, Run, Start, Replay, Apply, Decide.
// It does no I/O, tells no time and logs nothing.
package engine

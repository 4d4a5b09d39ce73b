// Package reuse begins a run with what another did: the recorded outcomes of the
// steps before one. It is pure.
//
// Obligations:
//
//  1. The other run is only read. What it did is not done again, and is its own to
//     undo: so nothing is reused that was undone, or that a run may yet undo which
//     has not ended.
//  2. The new run's steps stand exactly as the other's do, or there is no new run.
//  3. The facts are those that say where a step stands in the end: how it came there
//     stays in the other run's history.
package reuse

// Package engine is the pure core: what a run is and what it does next. It does
// no I/O, tells no time and logs nothing; package worker is the shell around it.
//
//	         ┌──────────── outcome, timer, command ────────────┐
//	         ▼                                                 │
//	run ── Decide ──▶ facts (append them) ──▶ a call, a wait, a park or the end
//
// Obligations of the caller:
//
//  1. A Run is the fold of its history: Replay the facts as loaded, and Apply
//     each that was appended by another. Decide applies what it returns.
//  2. The facts of a Turn are appended before anything else is done because of
//     it. If that fails, the Run is forgotten and replayed from the history.
//  3. A call is made once its start is durable (one that only reads: at any
//     time), and its outcome goes into the next Decide.
//  4. One owner at a time decides. An attempt left open by an earlier owner is
//     of unknown outcome.
//
// Apply evaluates no expression: what an expression decided is a fact.
package engine

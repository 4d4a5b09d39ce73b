// Package tick makes the ticks of workflows that look for events at times, by polls, or
// run at times, by schedules.
//
// Under a workflow's name the bucket TICKS has when the next tick of each of its
// plans is due. The one timer of a workflow in WAKES is an index of that: it may be
// lost, stale or doubled.
//
// Obligations:
//
//  1. A tick is handled by one worker at a time, which holds the lock of the workflow
//     in LEASES, and is done with when the bucket says durably that the next one is
//     later. Whoever gets a wake and finds nothing due only sets the timer again.
//  2. The handler may be called again for a tick: after a crash, or where the lock
//     was lost. What it does must be right to do twice; Tick.At is the same then.
//  3. Ensure is called for every deployed workflow when a worker starts, at each
//     change of it, and by the sweep: a tick whose timer was lost comes then, at once
//     if it is overdue.
//  4. The times of a plan do not depend on when the workflow was deployed. A workflow
//     that polls is polled at once when it is new.
//  5. Ticks that passed while nobody could handle them, or while the workflow was
//     paused, are one for a poll: the first tick after that is due at once. Of a
//     schedule its catch-up decides, for a thousand at most; those left out are counted.
//  6. Of a workflow that is removed nothing is left.
package tick

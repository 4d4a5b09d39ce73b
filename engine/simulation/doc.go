// Package simulation plays the core and the rules of the shell around it (DESIGN
// section 4, rules 1 to 10, 12 and 14 to 17) in memory, while everything fails that
// can. It has tests only.
//
// The core is the product's own: definitions are parsed from YAML, runs are begun,
// folded and decided by package engine, and facts go through their protobuf form at
// each append and load. The rules of the shell are written again here, as plain as
// can be, over a server in memory; what of the shell is pure is used as it is.
//
// A play follows from its seed alone. Time is virtual; each thread of a worker is a
// coroutine that stands still at each effect: a request, an acknowledgement, a call
// that begins or lands, a beat of the lease. At each of them chance may refuse it,
// lose it, do it and lose the answer, do it late, or end or stop the process.
// Beside that, workers are killed, stopped, cut off and given a wrong clock;
// messages come twice and out of order; the server is killed, or loses power and
// with it what was not flushed.
//
// What must hold, always:
//
//   - A history grows only by what may follow, and its fold is what its owner has in
//     memory.
//   - No attempt is called twice, none whose outcome is recorded, none after the end
//     of the run or under a claim that is not the last; calls of one step do not
//     overlap. A process that stood still or was cut off in the middle is excused.
//   - A run that is parked goes on only by a claim.
//   - No fact is dated ahead of the time, no timer is early.
//   - No more runs are inside a gate than its limit; they queue in the order of their
//     events and enter in the order of their places.
//   - A wait is ended by an event that it was for.
//   - An event that was acknowledged to its source is there.
//
// What must hold once the faults are over: every run ends, or waits for an event
// that did not come; every message is acknowledged; the indexes have nothing of runs
// that ended (a timer may be left: it fires in vain); each accepted event has one run
// of each workflow that wants it; a command that was taken is in the history.
//
// Left out: the catalog (definitions are there from the beginning), schedules,
// quotas, blobs, a drain, the daily sweep, and histories that have aged away.
//
//	go test ./engine/simulation                                 1,000 seeds
//	go test ./engine/simulation -run TestSeeds -sim.seeds 50000 a long hunt
//	go test ./engine/simulation -run TestSeeds -sim.seed 7      what happened in one
//	    -sim.lines 100000 all of it, -sim.plant "…" with a bug of TestPlanted in it
package simulation

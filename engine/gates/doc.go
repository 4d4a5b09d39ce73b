// Package gates keeps the queues of concurrency keys in the bucket GATES, and the
// winners of a trigger's once in the bucket ONCE. Both are indexes of RUNS: an entry
// may be lost, stale or doubled.
//
// GATES holds, for each gate (proto.Gate: the workflow's own or a shared name, and
// the hash of the key):
//
//	<gate>.<place>   a run that is in or wants in; the place is the sequence of its
//	                 run_started (or run_retried) in RUNS
//	<gate>.holders   the list of those that are in
//
// Obligations of the store, of gates:
//
//  1. Nothing is cached: each call reads the bucket, from its leader.
//  2. Queue, Admit, Holds and Leave return nil only when what they say, whoever wrote
//     it, is durable: a wake, a gate_entered, follows from nothing that a power
//     failure could take. After an error it may or may not have happened; calling
//     them again is safe.
//  3. The holders change only by compare-and-swap from a list that was read before
//     the places were, and never grow beyond the caller's limit. So however many
//     admit at once, no more are in than the largest limit that any of them names.
//  4. Of the places that are there when Admit lists them, the lowest are let in
//     first. One that is over is passed by and removed.
//  5. Leave takes out exactly one run at one place: the same run at another place (it
//     was retried) stays. A leave that was lost is made up for by the next Admit.
//
// Obligations of who uses a gate:
//
//  1. Queue first, then Admit; on each delivery about a run that waits at a gate,
//     again both.
//  2. Over returns true only for what is so durably: the run's history has ended (and
//     that is past the Gate of RUNS), the run now has another place, or it has no
//     history at all. A run that queues, runs or waits at this place is not over.
//  3. Admit returns all holders; each that has not entered yet is to be woken, since
//     the wake of who let it in may be lost.
//  4. gate_entered is appended only after Holds has said yes, or Admit has returned
//     the run and its place, in the same handling.
//  5. A run that has ended leaves, then admits the next.
//
// When a gate is full, a run that skips is told by Admit: it is not among the
// holders. One that replaces cancels those that are Ahead; it is never canceled by
// one that came before it.
//
// Admit lists the places of its gate, when there is room in it, and reads the lowest:
// the cost grows with the queue of that one key, and with nothing else.
//
// ONCE holds, for each workflow, trigger and key, the last events that won: key
// once.<workflow>.<trigger>.<hash of the key>. (Package leases has its marks there
// too; their keys begin with sweep.) Obligations of once:
//
//  6. Of the events of one key that are less than Per apart by their own times, one
//     wins: the first that asks. It wins again whenever it asks again.
//  7. Whatever order events come in, and however late: time is the events', and an
//     entry outlives Per by as long as EVENTS keeps events by default.
//  8. Win returns nil only when its answer is durable.
//
// It has how many runs of a workflow began in a minute too, for quotas: key
// quota.<workflow>.<minute>; see Take.
package gates

// Package waits keeps which runs wait for which events in the bucket WAITERS. It
// is an index of RUNS: an entry may be lost, stale or doubled, and whoever is woken
// because of one asks the run's history what follows.
//
// The bucket holds:
//
//	paths.<source>.<type>   for an event type: the sets of match paths in use
//	patterns.<source>       the same for all patterns of types ("recording.*")
//	wait.<source>.<type or pattern>.<hash of the paths>.<hash of their values>
//	                        who waits for that, each with the arrivals that it has
//	                        not yet taken (sequences of events in EVENTS)
//
// So the router reads two keys for an event that nobody waits for, and one more for
// each set of paths that its type has; no list is walked. A set is never removed: it
// could not be told from one whose first waiter is just coming. There are as many as
// definitions ever had, and an unused one costs a read per event of its type.
//
// A value is compared as the text that expressions make of it (jsonvalue.Text): 123
// is "123", 5.0 is "5", true is "true". null, and what is not there, match nothing.
// A path goes through objects by name, through lists by number: payload.object.
// participant.user_id, recording_files.0.id or recording_files[0].id.
//
// Obligations of the store:
//
//  1. Nothing is cached: each call reads the bucket, from its leader.
//  2. A set of paths is in the bucket before the first waiter that has it, so a
//     router that does not see the set came before the waiter.
//  3. Register, Drop, Arrive and Took return nil only when what they wrote, and what
//     they found written by others, is durable. After an error it may or may not
//     have happened; calling them again is safe: the same waiter, or the same
//     arrival, twice is one.
//  4. Drop and Took concern the one waiter of that run, fact, alternative, type and
//     values, never another of the same run: a retry may have made new ones.
//  5. An entry has a limit. Register refuses a waiter for which there is no room
//     (ErrFull); Arrive refuses none: of the arrivals that have no room it keeps
//     between which sequences they lie (Arrived.From, To).
//
// Obligations of who waits:
//
//  1. Register first; then read EVENTS' last sequence; then look through the events
//     up to it that count for the wait. What came before the registration is found
//     so, what comes after is brought by the router.
//  2. An arrival says no more than that the values are the same: the router gets old
//     events again (after the broker was killed, say). The waiter checks that the
//     event counts, by its time and by its if; and calls Took for it then, whatever
//     the outcome.
//  3. Look at Arrivals whenever something is delivered about the run: the wake of an
//     arrival may be lost, the arrival is not.
//  4. Drop each registration by the fact that made it, once that wait has durably
//     ended.
//
// Obligations of the router: Match, Arrive, publish a wake to each wait that Arrive
// returned, then ack; and from the beginning again if any of them fails.
package waits

// Package worker is the shell around the pure core: it takes messages from
// JetStream, lets the engine decide, performs the steps and appends the facts.
//
//	EVENTS ──▶ start ─┐                      ┌─▶ call an action
//	WAKES  ──▶ about ─┼─▶ carry: Decide ─────┼─▶ wait (2 s at most)
//	           (tell, │      ▲               ├─▶ park: timers, ack
//	         takeover)┘      └── outcome ◀───┴─▶ end: closing duties, ack
//
// Obligations:
//
//  1. A running run has one carrier, the unacknowledged message that its last
//     claim names. Only the owner of that claim acts for the run.
//  2. A claim is appended only under a lease renewed less than 4 s ago, for a
//     message that is flushed, within 6 s of the pull that brought it. A message
//     is acked within 8 s of its pull (a carrier: of its last in-progress), on
//     the connection that pulled it; else it is left to its redelivery.
//  3. An external call begins only if its start was appended, flushed and sent
//     less than 4 s ago, and the lease was renewed less than 4 s ago.
//  4. A run is taken from another owner only after its lease was absent in four
//     answered reads in a row, by one server, 1.5 s apart; the claim expects the
//     history as it was before the first of them.
//  5. Nothing is acked before all that was written because of it is durable.
//  6. After a lost race or a lost answer the run is loaded again; what was
//     called is remembered, so that no attempt is called twice, but for a read
//     whose start was never in the history and that begins with another input.
//  7. A run is given up by a worker that stops, and by no other.
//
// What it never does: count deliveries, act on a core subscription, nak with a
// delay what another could do now (but for histories newer than this program).
package worker

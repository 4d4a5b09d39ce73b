// Package forget deletes what is stored of an account: its whole events, and the
// whole runs that they started, with their large values and timers.
//
// Obligations:
//
//  1. An order is stored before anything is deleted, and says when it is due and
//     what was deleted so far. One that was cut short is carried on by whoever
//     sweeps next; all it does is right to do twice.
//  2. A run that is open is canceled first, and deleted once it has ended: whoever
//     works on it never finds half a history.
//  3. A large value is deleted only if no run that stays has the same.
//  4. Of all workers one at a time carries an order out, and counts what it deletes.
//  5. An order is done when what it deleted is gone past the Gate.
package forget

// Package data keeps what steps keep: the values of data.set and its like, in the
// bucket DATA, one store per workflow and named ones that workflows share.
//
// Obligations:
//
//  1. A change is a compare-and-swap of one key, and passes the Gate before it is
//     answered; so does a read.
//  2. A change bears the key of the step that made it, and happens once however
//     often the step is attempted: the entry keeps the marks of its last changes,
//     in the same message as the value, and what each was answered. A mark is kept
//     for an hour at least, the last one for ever: where an entry changes so often
//     that its marks grow too many, the oldest is put aside under a key of its own
//     *before* the change that drops it. Whoever looks for a mark looks at the entry
//     first and aside next, then swaps against the entry as read: a mark cannot slip
//     from one place to the other unseen.
//  3. Who was held up for a minute changes nothing any more: its step may have been
//     repeated, and the repeat's mark be gone an hour later.
//  4. A value that is deleted, or whose life is over, leaves its marks behind for
//     that hour. Happened says truthfully that it cannot tell, where more time than
//     that has passed and the key has changed.
//  5. Bounds: a key, a value, the keys of a store, the bytes of the bucket.
package data

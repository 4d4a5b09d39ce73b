// Package sources holds the door through which everything that happens outside
// comes in: the stream EVENTS and the Publisher, its only writer. The packages
// below it turn one kind of input each into events.
//
// Obligations:
//
//  1. Publish returns nil only when the event is stored and flushed. Any error
//     means "not known to be stored": publishing the same event again is safe,
//     the stream drops the second within the duplicate window and the run id
//     drops it ever after.
//  2. A duplicate's acknowledgement passes the Gate like any other: the first
//     copy may not have been flushed yet.
//  3. EVENTS is limited by age and size and refuses new messages when full.
//     EnsureSpace makes room from what every consumer has finished, the oldest
//     first and no more than needed, and never touches what is unfinished.
//  4. A source answers its sender only after Publish has returned.
package sources

// Package durable makes "acknowledged" mean "survives a power failure".
//
// A stock nats-server has written a message to its file before it acknowledges
// it, so killing the process loses nothing; the disk's flush, however, comes
// minutes later. A Gate closes that gap: whoever has published waits at the Gate
// until the stream is flushed, and all who wait at one time share one flush.
//
// There are three modes behind one type. group: the Flusher beside our broker
// flushes on request. always: the server flushes each message itself.
// replicated: an acknowledgement stands for a majority of three or more. In the
// last two a pass costs nothing but the check of obligation 1.
//
// Obligations of whoever publishes:
//
//  1. Take the Mark just before the publish, call Pass after the acknowledgement,
//     and act on the message only once Pass has returned nil.
//  2. A duplicate's acknowledgement passes the Gate too: the first copy may not
//     have been flushed.
//  3. ErrChanged means that the outcome is unknown: forget every remembered
//     sequence and revision, load again, publish again. After any other error the
//     message may or may not last; Pass may be called again with the same Mark.
//  4. Who did not publish a message but was brought it takes the Mark before it was
//     asked for and the Moment after it came, and calls PassSince.
//
// Obligations of the Flusher:
//
//  1. It lists a stream's blocks after the request came, and flushes every block
//     written since the last flush. EVENTS and RUNS grow at their end only, so
//     there the newest blocks are enough; elsewhere the server rewrites blocks
//     that were flushed before, so inode, size and time of each are compared, at
//     each request and once a second. A name that is new is flushed with its folder.
//  2. A stream's own description, and its consumers', are flushed like its blocks:
//     without them the blocks are not read.
//  3. It keeps the descriptors of the newest blocks open, so that no write error
//     can slip by between two flushes.
//  4. Any flush error ends Run, and must end the broker: after one, nobody knows
//     what the disk holds. So does a stream that refuses writes for Patience.
//  5. It refuses to start on a file layout that it does not know.
//
// It never writes into the server's files, never holds a lock of the server, and
// never answers for another server than its own.
package durable

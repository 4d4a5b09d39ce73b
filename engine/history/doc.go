// Package history keeps run histories in the stream RUNS and is the only writer
// of it.
//
// Obligations:
//
//  1. An append expects the sequence of the one before it on any subject of the
//     run: of two writers one gets ErrConflict, and knows that it must load.
//  2. An append carries its number, the SHA-256 of the stored bytes of the one
//     before it and, in a header, that of its own; Load and Verify find the first
//     that is missing or altered. What they cannot see is the loss of a history's
//     end, or of all of it.
//  3. Append returns when the server has it; what must last waits at Pass.
//  4. After any other error than ErrConflict it is unknown whether the append
//     is stored: the cursor is dead, the run is to be loaded again.
//  5. It is read from the leader: the stream has no direct get.
package history

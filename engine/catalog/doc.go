// Package catalog keeps the deployed workflows in the bucket DEFINITIONS: under
// a workflow's name which version is active, under name and version the source
// of that version. It also keeps the durable consumer through which each
// workflow gets its events.
//
// Obligations:
//
//  1. A version never changes and is never deleted: a run is pinned to one, and
//     finds it as long as the bucket lives.
//  2. The definition is written, and past the Gate, before its consumer is made
//     or changed. Who gets an event that no longer matches reads the definition
//     again from the leader, after the receipt, and finds the newer one.
//  3. Deploy, Pause, Resume and Remove return nil only when what they say is
//     durable. When they return an error, it may or may not have happened:
//     calling them again is safe.
//  4. Reads are answered by the stream's leader; the bucket has no direct get.
//  5. A consumer starts at the workflow's first deployment, by the broker's
//     clock, so that one that was lost and made again gets every event since
//     (the runs they started are there already, and say so).
//  6. A rollback is a deployment of a stored version, but for the order in which
//     Versions lists them: what was rolled back can be found, and rolled forward.
//  7. Whatever order two callers come in, the consumer ends up as the entry
//     last written wants it.
//  8. The code that a version's steps run, with all that it imports, is stored and
//     durable before the version is; like the version, it never changes.
//
// Package catalog never decides whether an event starts a run: the filters of a
// consumer may let through more than the triggers want, never less.
package catalog

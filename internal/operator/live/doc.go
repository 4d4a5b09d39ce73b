// Package live follows EVENTS and RUNS as they grow, for any number of followers
// at once.
//
// Obligations:
//
//  1. What a follower gets is in the stream: all messages that its filter lets
//     through, each once, in order, from where it began until it ends. What a core
//     subscription would show (appends that JetStream refused, duplicates) is not
//     among them.
//  2. Followers share one reader of the stream, and what it read last: a ring that
//     is bounded by messages and bytes. Who is behind the ring reads by itself until
//     it is not; nobody slows anybody down.
//  3. A follower that cannot go on without a gap is told: by Gap where the stream no
//     longer has what came after its place, by Beyond where the stream never had its
//     place, by ErrReset where the stream lost what had been read.
//  4. While the server is away followers wait, and go on where they were.
//  5. It acknowledges nothing and leaves nothing behind: its consumers are in memory,
//     and gone when nobody asks them any more.
package live

// Package connections gives calls the tokens of connected Zoom accounts.
//
// A server-to-server app has one token at a time: when Zoom gives out a new one,
// the last is void, in every process. So all processes share the one in the bucket
// CONNECTIONS, and one process at a time fetches the next.
//
// Obligations:
//
//  1. A token is fetched only under the connection's lease, a key of the bucket
//     that expires, and after the bucket was read under that lease. All processes
//     stop using a token at the same instant, some time before it expires, so one
//     expiry is one fetch.
//  2. A fetched token is stored before it is used, by compare and swap. A fetch
//     that has begun is finished and stored even if its caller has gone.
//  3. A token that Zoom refused is looked up in the bucket first: most often
//     another process has a newer one there. Where the refused one was fetched just
//     now, fetching another would only void that for all, so it is an error to try
//     again soon.
//  4. Tokens are stored sealed with XChaCha20-Poly1305; name, number and key are
//     authenticated, so a record cannot be moved to another connection. One whose
//     number is older than one seen, or that no key opens, counts as none: a
//     server-to-server token can always be had anew. This is also why its loss at a
//     power failure is harmless and no Gate is needed.
//  5. What is wrong with the credentials is final and says to connect again; what
//     is wrong with the network is to be tried again. Errors are remembered for a
//     short while, so that a thousand runs do not ask a thousand times.
//  6. No error holds a token or a secret.
package connections

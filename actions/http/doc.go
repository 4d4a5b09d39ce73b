// Package http has the action http.request: one request to any HTTP API.
//
// Obligations:
//
//  1. No address that is not public is ever connected to, unless the allow-list
//     names it: the check is made on the address that was resolved, when it is
//     dialed, for each redirect anew. Proxies of the environment are ignored;
//     behind the configured one names are checked before it gets the request.
//  2. What an error says is so. Nothing was written to a connection: retryable.
//     Written, and no whole answer came: unknown for a write, retryable for what
//     may be repeated (GET, HEAD, OPTIONS, PUT, DELETE). An answer is an answer:
//     408, 425, 429 and 5xx are retryable, not before their Retry-After; that
//     goes for 502 and 504 after a POST too, where a gateway speaks for a server
//     that may have acted, so a POST that must not happen twice should carry an
//     idempotency key (step.key), or use retry.if. Other refusals are final.
//  3. A redirect never changes the method: where HTTP clients turn a POST into a
//     GET it is an error. Headers that the step gave do not go to another origin,
//     and https is never left for http.
//  4. Errors name method and host, never path, query, headers or body that was
//     sent, since each may hold a credential. Where the answer repeats what auth
//     sent, it is masked in the output too.
//     The credential of a connection goes to that connection's hosts only.
//  5. Files are streamed, never held whole: what is sent comes from the store of
//     files and what is saved goes there, checked by size and hash.
//  6. A token got by client credentials stands in memory until it expires; one that
//     is refused is fetched anew once, as a call that was refused has not happened.
//  7. Digits are kept: integers are int64 or, where too large, text.
package http

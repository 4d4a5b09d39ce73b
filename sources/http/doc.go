// Package http is the source of events that HTTP requests make: triggers http of
// workflows, served by ingest at /http/{path}.
//
// Obligations:
//
//  1. A path that is not known is 404 only where the routes are known; before that
//     everything is 503. Who may not call learns no more than that.
//  2. Secrets are compared in constant time. No header that shows who calls is in an
//     event: Authorization, Proxy-Authorization, Cookie, and what carries a signature.
//  3. An answer below 300 means that the event is durable. A request that is refused
//     left no event, and a part of a file at most, which has no name.
//  4. A request with a key is one event, however often it comes, and gets one answer:
//     that of its run.
//  5. Who waits is registered before the event is published. The answer comes as a
//     message, which may be lost: after a while, and again and again, the run's
//     recorded state is asked for.
//  6. A failed run's error is not told: the caller is somebody else than the owner.
package http

// Package poll reads a list again and again for a workflow, and makes an event of
// each item that is new in it, changed, or gone.
//
// What a poll knows of its list stands in the bucket TICKS: <workflow>.poll says
// which version of it holds, and what is still to be done; <workflow>.poll.<name>.<n>
// are its parts, compressed.
//
// Obligations:
//
//  1. A list is compared only when all of it was read: one of which a page failed, or
//     that has more items than a call can bring, changes nothing, and nothing of it
//     counts as gone.
//  2. What a comparison brought, and what is known from then on, are durable before
//     the first event is published; the events are durable before that becomes what
//     is known. Whoever comes after a crash publishes the same events with the same
//     ids again, and compares nothing before.
//  3. The id of an event names the workflow, the beginning of what is known, its
//     version and the item: a later change of the item is another event, also one
//     back to what it was.
//  4. What is known is replaced by compare-and-swap. Who comes second has done
//     nothing that lasts.
//  5. A poll that fails is told by Status until one succeeds; the next tick tries
//     again.
//  6. Credentials in an item are sealed, in its event as in what is known of it. That
//     one is another than before is no change.
//  7. What is known has a limit, in items and in bytes; a list beyond it fails.
//
// Another list (another action, input, items or key) is another beginning: what it
// has first is known, or all new, as the trigger says. Other fields are compared from
// the next poll on; what has changed in them until then is no event.
package poll

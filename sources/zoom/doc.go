// Package zoom receives Zoom's webhooks: POST /hooks/zoom/{app}.
//
// Obligations:
//
//  1. 204 means that the event is stored and flushed. Zoom sends again only after
//     a 5xx or no answer, so every failure of ours, overload and a full disk too,
//     is 503, and 4xx only what would be refused again.
//  2. Nothing of a request is parsed before its signature has been verified, over
//     the raw bytes and in constant time, with each of the app's secrets. An app
//     without secrets verifies nothing. A request that is not verified leaves a
//     counter and nothing else.
//  3. URL validation is answered under the secret that verified that very
//     request, from memory: it needs no NATS and waits for no slot.
//  4. An event is made by package event, which all of Zoom's sources share.
//  5. No body, header or secret is ever logged.
//  6. An answer is given within the deadline, whatever NATS does.
package zoom

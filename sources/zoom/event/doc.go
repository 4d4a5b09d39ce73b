// Package event makes events of what Zoom sends, whichever way it came: by webhook,
// WebSocket or from Zoom's log.
//
// Obligations:
//
//  1. An event's id comes from what the event is about, never from a token, an
//     address or the order of its JSON: two deliveries of one event have one id,
//     two events have two.
//  2. Credentials are sealed before an event leaves this package.
//  3. An event that is not known, or that is shaped unlike the others, is an event
//     like any other. Only a body that names none is refused.
package event

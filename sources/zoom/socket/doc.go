// Package socket receives Zoom's events over a WebSocket: for hosts that nobody can
// reach from outside.
//
// Obligations:
//
//  1. One process at a time connects: Zoom closes the connection before. The caller
//     holds a lock while Run runs.
//  2. An event that came in is published again and again until it is stored, for as
//     long as the process lives. Up to 64 MiB wait for that; then reading waits.
//  3. Zoom repeats nothing that it sent while nobody was connected. After each new
//     connection Missed is called: whoever reconciles fills in what the gap lost.
//  4. A connection is tried again for ever, at first after a second, then more and
//     more seldom. One that is silent for longer than two heartbeats is given up.
//  5. A frame that is no event is counted and dropped; what it says is not logged.
//     Neither is the token, which stands in the address.
package socket

// Package zoom has the curated actions on Zoom: zoom.create_meeting and the like.
//
// What they share is in one table (table.go): path, inputs, outputs, and what a
// success looks like; method, scopes and rate label come from zoomcatalog. What
// is particular to one is in a file of its own.
//
// Obligations beyond those of package actions:
//
//  1. A success is told by status and by shape: a 2xx with an error in it, with a
//     list where an object is expected, or with a page of a proxy is none. A field
//     that Zoom leaves out is no failure.
//  2. user_id is "me" by default: who connected, or, with a server-to-server
//     connection, which acts for its account, the host of what the run's event is
//     about. Where there is none, Zoom refuses, and the error says what to give.
//  3. zoom.delete_meeting finds nothing after an attempt of its own whose outcome
//     is unknown: that is done. Otherwise a meeting that is not there is an error.
//  4. zoom.create_meeting and zoom.add_meeting_registrant find out by a probe
//     whether such an attempt happened: by what was asked for, and for a meeting by
//     its time of creation. Where several meetings fit, the probe says so and
//     leaves the decision to a person.
//  5. zoom.send_chat_message has no probe; zoom.update_meeting needs none, since
//     setting the same fields twice is as once.
package zoom

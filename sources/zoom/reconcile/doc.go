// Package reconcile compares what Zoom says it sent with what EVENTS holds, and puts
// in what is missing.
//
// Obligations:
//
//  1. What Zoom sent is known from the app's webhook log, which Zoom keeps for seven
//     days: the very bodies, so that what is put in has the id that the webhook had
//     or would have had. It is put in with origin reconcile.
//  2. Objects that can be listed (recordings, meetings, webinars, users) are compared
//     too where that is asked for: an event that ought to have been is made up from
//     the list. Only of what is older than Zoom's last retry, so that the event
//     itself does not come after it.
//  3. Nothing that is held is put in again, whatever app, URL or token its delivery
//     had. What EVENTS has dropped to make room is not put in again either.
//  4. What is missing is put in in the order in which it happened.
//  5. A part of Zoom's answer that cannot be had or read is named in the report, and
//     does not keep the rest from being compared. Only an answer that is complete
//     counts as one: who asks again later begins where the last complete one ended.
package reconcile

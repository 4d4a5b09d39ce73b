// Package zoomsim is a Zoom good enough to develop against without an account:
// OAuth for every kind of app (package oauth), the REST operations of zoomcatalog
// (package rest) with state behind them (package world), and signed webhooks.
//
// What it promises:
//
//  1. It answers as Zoom does where that matters to a client: status, error code
//     and shape; UUIDs that need encoding twice; fields that are left out; a new
//     token voids the app's last one.
//  2. Webhooks follow Zoom's rules: signed, a URL is validated before it gets
//     events and every 72 hours, an answer is due within 3 seconds, retries come
//     after 5, 25 and 85 minutes, and only for a status of 500 and more or none.
//     SetChaos lets them be dropped, doubled, late or out of order, the same for
//     the same seed; Zoom's log of webhooks tells for 7 days what it meant to send.
//     Subscriptions are made here or by the API, at most 20 an app.
//     A subscription may be a WebSocket instead: one connection, kept by
//     heartbeats, without retries.
//  3. Every call and every delivery stands in a ledger, which tests read and can
//     wait for. No token or secret stands in it.
//  4. Time is the standard clock, so that it runs in a synctest bubble. After
//     Close no goroutine of it is left.
//
// All state is in memory and ends with the Sim. It knows no real Zoom: nothing
// of it leaves the process but deliveries to the URLs that were subscribed.
package zoomsim

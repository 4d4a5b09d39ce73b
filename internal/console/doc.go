// Package console is the private HTTP process: the API and the live streams.
//
// Obligations:
//
//  1. Nothing below /api is answered without a token that has the route's scope, on
//     loopback neither. Tokens come in the Authorization header only: no page that a
//     browser shows can make it send one. It allows no other origin.
//  2. It listens beyond loopback only if a token exists.
//  3. What it shows holds no sealed value and no secret; an error says what the asker
//     did wrong, or that the server is away.
//  4. A live stream gives what the stream of JetStream has, each message once and in
//     order, after the place where the client was; where something of that is no
//     longer kept it says so. A token that expires or is revoked ends its streams
//     within a minute, and so does a client that does not read.
//  5. Requests, bodies, lists, streams and failed attempts are bounded.
//  6. A stop ends the streams, which clients resume elsewhere, and lets the requests
//     under way finish.
package console

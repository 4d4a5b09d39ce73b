// Package oauth is the simulator's zoom.us/oauth: apps of every kind, consent,
// codes, access and refresh tokens, device codes, and revocation from both sides.
//
// What it promises:
//
//  1. A code lives 5 minutes and is good once, for the app, the redirect URI and
//     the PKCE verifier that it was made for.
//  2. A refresh token is good once: each use makes the next, and only the latest
//     is valid. Consenting anew ends what the same app had from the same user.
//  3. A new token of a server-to-server app voids its last one. Tokens of other
//     apps live until they expire or their consent ends.
//  4. A refusal is {reason, error}, the reason with Zoom's number at its end where
//     Zoom has one: (4,734).
//  5. Nothing here waits but an authorize request that was told to, and time is the
//     standard clock, so that it runs in a synctest bubble.
package oauth

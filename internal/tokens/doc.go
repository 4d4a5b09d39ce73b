// Package tokens keeps the tokens of the HTTP API in the bucket TOKENS.
//
// Obligations:
//
//  1. A token is shown once, when it is made; what is stored is its SHA-256. It has
//     130 random bits, so its hash needs no salt and no slowness.
//  2. A token that is made or revoked is durably so when Create or Revoke returns.
//     Each check reads from the leader; nothing is remembered between two.
//  3. Hashes are compared in constant time. A token that is not there and one with
//     another secret get the same answer.
//  4. No error and no list holds a token or its hash.
package tokens

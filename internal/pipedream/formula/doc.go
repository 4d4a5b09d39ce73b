// Package formula reads the JavaScript expressions that stand in {{ }} of a
// Pipedream workflow and writes them as expressions of zflow.
//
// Obligations:
//
//  1. What it writes has the value that JavaScript would have given, or is an
//     error where JavaScript would have gone on with undefined or a changed type.
//     What it is not sure of it refuses, with the reason.
//  2. It reads expressions only: nothing is run.
//  3. Any text is read in a time that grows with its length, without a panic.
package formula

// Package actions says what a workflow step can use: an Action with its Spec,
// the errors by which an action tells the engine what to do next, and the
// Registry that finds one by name.
//
// Obligations of an action:
//
//  1. Do calls out at most once per Call; the engine repeats, an action never
//     does (but for a token that had just expired, where the call was refused
//     and so did not happen).
//  2. It ends soon after its context does.
//  3. Its error tells the truth: a plain *Error is final; Retryable means that
//     the call did not happen or may safely happen again; Unknown means that it
//     was sent and may have happened.
//  4. No credential stands in an error or a log line; output fields that carry
//     one are named in Spec.Secret.
package actions

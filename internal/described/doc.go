// Package described makes actions of descriptions: a YAML file says what an action
// takes, which requests it makes of that, and what their answers mean. Most actions
// for other services are such files (family/), and users write their own.
//
// Obligations:
//
//  1. A description is checked whole before it is used: unknown keys, wrong types,
//     expressions that name what is not there, each with its place in the file.
//  2. An action is a function of its description: nothing in it can be named but its
//     inputs, the token, the step's key and the answers of its own earlier calls.
//  3. What an error says is so, as with http.request, but stricter: a 5xx answer to a
//     write (but for 501 and 503, which refuse) leaves open whether it happened. So does
//     an answer that is not the one expected. Where a call fails after another
//     one changed something, the whole may have happened.
//  4. The token of a connection goes to that connection's hosts only. Token and
//     inputs marked secret are shown in no error and no output.
package described

// Package floorplan knows who may import whom in this project, and what only
// some packages may do; its test holds the source to it.
//
// Obligations:
//
//  1. Every package has a row in the plan, or the test fails: a new package is a
//     decision about where it stands.
//  2. A package imports, of ours and from outside, what its row says and nothing
//     else. Tests are free in what they import; nothing but tests imports a
//     test package.
//  3. Only commands read flags, arguments and the environment, or exit. Pure
//     packages do no I/O, tell no time and draw no random numbers. Nobody has an
//     init function.
//  4. No chain of imports is longer than six.
package floorplan

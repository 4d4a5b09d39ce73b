// Package record turns what happened into fixtures and tests: an event into the
// file of its body, a run into a test that plays it again.
//
// Obligations:
//
//  1. No credential is readable in any file: sealed values are written as "••••", and
//     what is compared leaves them out.
//  2. No file that is there is changed, unless that is asked for; where one file
//     cannot be written, none is.
//  3. A recorded test is read and played, in a process of its own, before it is said
//     to be one.
package record

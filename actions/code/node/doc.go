// Package node runs JavaScript in child processes of Node.js.
//
// Obligations:
//
//  1. One call at a time in a process, and a process only ever runs the code of one
//     group (a workflow's version): nothing that code leaves behind in its process is
//     seen by that of another group.
//  2. A call ends by its limit of time, whatever the code does: its process is killed,
//     with everything that belongs to its process group. No other call is touched.
//  3. A process has none of our environment, no descriptor but its own pipes, and, by
//     the flags of Node.js that it was found to have, no file, child process, thread,
//     add-on or inspector. It ends when we end.
//  4. Memory is limited three times: V8's heap by its flag, all of it by the kernel
//     where there is Linux, and by looking.
//  5. What is left running after a call ends its process.
//  6. What code asks of its worker is answered in the goroutine of the call, one question
//     at a time, within the call's limit; a process that does not read its answer ends.
//  7. Calls may be made inside of a synctest bubble: time here is always real, and no
//     channel that the pool waits on is made by a caller.
//
// It never says that a call did not happen where it may have: Died tells whether it
// was the code's own doing.
package node

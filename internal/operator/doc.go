// Package operator is what a person who runs zflow asks of a server and orders
// it to do: to list, show and follow runs and events, to cancel and approve, to
// replay and publish, and to find out what is wrong.
//
// Obligations:
//
//  1. Nothing that it returns holds a sealed value: where one stands it is "••••".
//  2. It reads RUNS and never appends: what changes a run is a command, and is
//     reported as done only once the run's history shows it.
//  3. An event that it says it stored is durable, and new where it says so.
//  4. What is asked of a server that does not answer ends with an error; nothing
//     waits for ever but Watch and Tail, which end with their context.
//  5. An id from outside never reaches a subject before it was checked: "*" is
//     no run.
package operator

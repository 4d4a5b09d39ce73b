// Package terminal is how the commands of zflow talk with the person, and the
// server, before them: streams, shared flags, tables, completion, and errors in
// how a command was called. It belongs to cmd/zflow, which it keeps small.
package terminal

// Package world is what exists in the simulated accounts, and what may happen
// there: meetings with their registrants, participants and recordings. It does the
// REST operations that read and change it, and makes the events that tell of it.
package world

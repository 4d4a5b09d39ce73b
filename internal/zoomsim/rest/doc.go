// Package rest is what the simulator's REST operations have in common: calls and
// answers, the way from a path to an operation, pages, and limits of calls.
package rest

// Package zoomcatalog knows Zoom's webhook events and REST operations by name:
// tables of facts, made from data/ by go generate, and a built-in payload for
// every event.
//
// The tables name what is documented, not what exists: Zoom adds events every
// month. A caller treats an unknown name as news, never as an error.
package zoomcatalog

//go:generate go run zflow/internal/tools/zoomtables .

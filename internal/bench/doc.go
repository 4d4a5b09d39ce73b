// Package bench measures zflow: signed webhooks come in, and for each a run makes
// three HTTP calls to an API that answers at once. Beside zflow it measures what
// bounds it: the disk's flush, the stream's publish, and the null pipeline, which
// makes the same calls and keeps nothing.
//
// Who is measured runs in a process of its own, this program again, which calls
// Serve: its CPU, memory and disk are read from /proc and hold nothing of the load
// and the API, which run here. All share one machine: only ratios within one
// report mean something, and each is taken as close in time as can be.
//
// A load is accounted for by the run: what was accepted and did not complete is
// lost, a step that was called twice is repeated, one that was called before its
// predecessor is out of order. A report with any of these is no measurement of
// speed, and says so.
//
// Latencies count from the time a webhook was due, so a stall is charged to who
// stalled.
package bench

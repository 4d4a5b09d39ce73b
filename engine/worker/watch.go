package worker

import (
	"time"

	"zflow/engine"
)

// Watch lets a test of whole processes see by what right calls begin, which no
// history tells. Its functions are called from many goroutines; nil ones are not.
type Watch struct {
	// Renewed is called when a put of the lease was answered.
	Renewed func(sent, answered time.Time)
	// Calling is called as the last thing before a call begins.
	Calling func(Begin)
}

// Begin is the begin of a call.
type Begin struct {
	engine.AttemptID
	Run   string
	Epoch uint64
	Reads bool          // it changes nothing: its start may not be in the history yet
	Lease time.Duration // since the last put of the lease that succeeded was sent; monotonic
	Start time.Duration // since the append was sent that allows the call; monotonic
}

func (w *Worker) watchCall(o *owned, a *engine.Attempt) {
	if w.Watch.Calling == nil {
		return
	}
	b := Begin{AttemptID: a.AttemptID, Run: o.run.ID(), Epoch: o.epoch, Reads: a.Reads, Start: time.Since(o.cursor.Sent)}
	b.Lease, _ = w.lease.Age()
	w.Watch.Calling(b)
}

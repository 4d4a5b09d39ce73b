package http

import (
	"context"
	nethttp "net/http"
	"strconv"
	"time"

	"go.uber.org/zap"
)

// Runs tells what runs answer.
type Runs struct {
	// Await returns where the answer of an event's run comes as soon as it is there,
	// and what ends that.
	Await func(event string) (answers <-chan *Answer, end func())
	// Recorded asks for the answer that a run's history has; nil: none yet.
	Recorded func(ctx context.Context, workflow, event string) (*Answer, error)
}

// Answers come as messages, which may be lost: the history is asked for after the
// first of these, and after each of the last again.
var askAfter = []time.Duration{time.Second, 2 * time.Second, 5 * time.Second}

const askWithin = 4 * time.Second

// acceptAndWait stores the event and answers with what its run says.
func (h *Handler) acceptAndWait(w nethttp.ResponseWriter, r *nethttp.Request, c *call) *fault {
	release, ok := take(h.waiting)
	if !ok {
		return &fault{Overload, "too many requests wait for their runs: send it again", 0}
	}
	defer release()
	// Before the event is published, so that no answer is missed.
	answers, end := h.config.Runs.Await(c.event.ID)
	defer end()
	again, f := h.store(c)
	if f != nil {
		return f
	}
	control := nethttp.NewResponseController(w)
	// The server's own time-outs are for those who do not wait.
	_ = control.SetReadDeadline(time.Time{})
	_ = control.SetWriteDeadline(time.Now().Add(c.route.Timeout + writeWithin))
	ctx, cancel := context.WithTimeout(r.Context(), c.route.Timeout)
	defer cancel()
	a := h.await(ctx, c, answers, again)
	switch {
	case a != nil:
		extend(control)
		h.counts.add(c.route.Workflow, answeredInRun)
		h.give(w, r, c, a)
	case r.Context().Err() == nil:
		h.counts.add(c.route.Workflow, answeredLate)
		w.Header().Set("Retry-After", strconv.Itoa(max(1, int(c.route.Timeout.Seconds()))))
		say(w, nethttp.StatusAccepted, c.with("status", "running"))
	}
	return nil
}

// extend gives what is written now its own time.
func extend(control *nethttp.ResponseController) {
	_ = control.SetWriteDeadline(time.Now().Add(writeWithin)) // else the server's own holds
}

// await returns the run's answer, nil where the time is over. Of an event that was
// there before, the answer may have been given long ago.
func (h *Handler) await(ctx context.Context, c *call, answers <-chan *Answer, again bool) *Answer {
	recorded, asked := make(chan *Answer, 1), 0
	next := time.NewTimer(askAfter[0])
	defer next.Stop()
	if again {
		next.Reset(0)
	}
	for {
		select {
		case a := <-answers:
			return a
		case a := <-recorded:
			if a != nil {
				return a
			}
			asked = min(asked+1, len(askAfter)-1)
			next.Reset(askAfter[asked])
		case <-next.C:
			go h.ask(ctx, c, recorded)
		case <-ctx.Done():
			return nil
		case <-h.stop:
			return nil
		}
	}
}

// ask asks for the recorded answer; it always says something.
func (h *Handler) ask(ctx context.Context, c *call, to chan<- *Answer) {
	ctx, cancel := context.WithTimeout(ctx, askWithin)
	defer cancel()
	a, err := h.config.Runs.Recorded(ctx, c.route.Workflow, c.event.ID)
	if err != nil && ctx.Err() == nil {
		h.config.Log.Warn("a run's answer is not known", zap.String("event_id", c.event.ID), zap.String("run_id", c.run), zap.Error(err))
	}
	to <- a
}

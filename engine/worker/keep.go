package worker

import (
	"context"
	"strings"
	"time"

	"go.uber.org/zap"

	"zflow/engine"
	"zflow/proto"
)

const keepEvery = 2500 * time.Millisecond

// keepCarriers tells the server, again and again, that the carriers of the runs
// in memory are being worked on.
func (w *Worker) keepCarriers(ctx context.Context) {
	tick := time.NewTicker(keepEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		mark := w.Gate.Mark()
		for _, o := range w.all() {
			m, _ := o.carrier()
			if m.mark != mark {
				continue // of another connection: it comes again
			}
			if sent := time.Now(); m.InProgress() == nil {
				o.keptAt(m, sent)
			}
		}
	}
}

func (w *Worker) all() []*owned {
	w.mu.Lock()
	defer w.mu.Unlock()
	all := make([]*owned, 0, len(w.owned))
	for _, o := range w.owned {
		all = append(all, o)
	}
	return all
}

// endCalls ends a hint about a run whose calls are of no use any more.
const endCalls = " end"

// hint makes a run in memory look at its history now.
func (w *Worker) hint(text string) {
	run, end := strings.CutSuffix(text, endCalls)
	if o := w.holding(run); o != nil {
		o.look(end)
	}
}

// hintOwner tells the owner of a run that its history has news. The hint may be
// lost: the owner learns it by the conflict at its next append.
func (w *Worker) hintOwner(r *engine.Run) {
	owner, text := r.Claim.GetWorker(), r.ID()
	if r.Cancel != nil {
		text += endCalls
	}
	if owner == w.id {
		w.hint(text)
		return
	}
	if err := w.NC.Publish(proto.WorkerSubject(owner), []byte(text)); err != nil {
		w.Log.Warn("a hint was not sent", zap.String("run_id", r.ID()), zap.Error(err))
	}
}

//go:build unix

package e2e

import (
	"cmp"
	"slices"
	"time"

	"zflow/engine"
	"zflow/engine/history"
)

// procPlace is one run's stay inside a gate.
type procPlace struct {
	run             string
	event           uint64 // sequence of what began it
	limit           uint32
	entered, leaves time.Time
}

// places notes when a run was inside its gate, by the server's time.
func (a *procAudit) place(h *history.History, r *engine.Run) {
	p, gate := procPlace{run: r.ID(), event: r.Start.Event.Sequence}, ""
	for i, facts := range h.Appends {
		p.leaves = h.Stored[i]
		for _, f := range facts.Facts {
			if q := f.GetGateQueued(); q != nil {
				gate, p.limit = q.Gate, q.Limit
			}
			if f.GetGateEntered() != nil {
				p.entered = h.Stored[i]
			}
		}
	}
	if gate != "" {
		a.gates[gate] = append(a.gates[gate], p)
	}
}

// inOrder checks that the runs of one key entered in the order of their events, and
// never more at a time than may be.
func (a *procAudit) inOrder() {
	for gate, all := range a.gates {
		slices.SortFunc(all, func(x, y procPlace) int { return cmp.Compare(x.event, y.event) })
		for i, p := range all {
			inside := 0
			for j, other := range all {
				if !other.entered.After(p.entered) && other.leaves.After(p.entered) {
					inside++
				}
				if p.limit == 1 && j < i && other.entered.After(p.entered) {
					a.fault("gate %s: run %s entered before run %s, whose event came before its own", gate, p.run, other.run)
				}
			}
			if uint32(inside) > p.limit {
				a.fault("gate %s: %d runs were inside when run %s entered, at %s", gate, inside, p.run, procClock(p.entered))
			}
			a.counts["gates entered"]++
		}
	}
}

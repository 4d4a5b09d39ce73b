package operator

import (
	"context"
	"errors"

	"zflow/engine/history"
)

// Verified is what a check of histories found.
type Verified struct {
	Runs    uint64    `json:"runs"`
	Appends uint64    `json:"appends"`
	Damaged []Damaged `json:"damaged"` // something is missing, or was altered
	Aged    []Damaged `json:"aged"`    // RUNS dropped the first appends for their age; nothing was altered
}

// Damaged is a run whose history is not whole.
type Damaged struct {
	Run      string `json:"id"`
	Workflow string `json:"workflow"`
	Sequence uint64 `json:"seq"`    // in RUNS, of the first bad append
	Number   uint64 `json:"append"` // that it gives itself
	Why      string `json:"why"`
}

func (v *Verified) add(d *history.Damaged) {
	bad := Damaged{d.Run, d.Workflow, d.Sequence, d.Number, oneLine(d.Why)}
	if d.Aged {
		v.Aged = append(v.Aged, bad)
		return
	}
	v.Damaged = append(v.Damaged, bad)
}

// Verify checks that no append of any history is missing or altered. Progress is
// told after each append.
func (o *Operator) Verify(ctx context.Context, progress func(done, of uint64)) (Verified, error) {
	found, err := o.History.Verify(ctx, progress)
	if err != nil {
		return Verified{}, err
	}
	v := Verified{Runs: found.Runs, Appends: found.Appends, Damaged: []Damaged{}, Aged: []Damaged{}}
	for _, d := range found.Bad {
		v.add(d)
	}
	return v, nil
}

// VerifyRun checks one history, and that its facts follow from each other too.
func (o *Operator) VerifyRun(ctx context.Context, id string) (Verified, error) {
	head, err := o.Find(ctx, id)
	if err != nil {
		return Verified{}, err
	}
	v := Verified{Runs: 1, Damaged: []Damaged{}, Aged: []Damaged{}}
	h, err := o.History.Load(ctx, head.Workflow, head.Run)
	var bad *history.Damaged
	if errors.As(err, &bad) {
		bad.Workflow = head.Workflow
		v.add(bad)
		return v, nil
	}
	if err != nil {
		return Verified{}, err
	}
	v.Appends = uint64(len(h.Appends))
	if _, _, err := o.Load(ctx, head); err != nil {
		v.Damaged = append(v.Damaged, Damaged{Run: head.Run, Workflow: head.Workflow, Why: oneLine(err.Error())})
	}
	return v, nil
}

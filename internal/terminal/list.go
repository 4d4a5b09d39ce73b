package terminal

import (
	"time"

	"zflow/internal/operator"
)

// DefaultLimit is how many lines a list has where nothing is said.
const DefaultLimit = 1000

// SinceTime checks what lists have in common and returns the moment so long ago.
func SinceTime(since time.Duration, limit int) (time.Time, error) {
	switch {
	case limit < 0:
		return time.Time{}, Misused("--limit cannot be less than 0")
	case since < 0:
		return time.Time{}, Misused("--since cannot be less than 0")
	case since == 0:
		return time.Time{}, nil
	}
	return time.Now().Add(-since), nil
}

// RunsTable is a list of runs.
func (sh *Shell) RunsTable(runs []operator.Run) *Table {
	t := sh.Table("RUN", "WORKFLOW", "STATUS", "STARTED", "TOOK", "ERROR")
	for _, r := range runs {
		took, failure := "-", ""
		if r.EndedAt != nil {
			took = operator.Took(max(r.EndedAt.Sub(r.StartedAt), 0))
		}
		if r.Error != nil {
			failure = Short(*r.Error, 80)
		}
		t.Add(r.ID, r.Workflow, r.Status, Clock(r.StartedAt), took, failure)
	}
	return t
}

package operator

import (
	"fmt"
	"time"

	"google.golang.org/protobuf/proto"

	"zflow/engine/history"
	wire "zflow/proto"
	v1 "zflow/proto/zflow/v1"
)

// Append is what became true of a run at one time.
type Append struct {
	Run
	Sequence uint64    `json:"seq"`
	At       time.Time `json:"at"`
	Facts    []Fact    `json:"facts"`
}

// ReadAppend reads a message of RUNS.
func ReadAppend(subject string, header map[string][]string, body []byte, sequence uint64, stored time.Time) (Append, error) {
	workflow, run, state, err := wire.ParseRunSubject(subject)
	if err != nil {
		return Append{}, err
	}
	facts := &v1.Facts{}
	if err := proto.Unmarshal(body, facts); err != nil {
		return Append{}, fmt.Errorf("reading an append of run %s: %w", run, err)
	}
	h := history.Head{Workflow: workflow, Run: run, State: state, Sequence: sequence, At: stored, Header: header}
	a := Append{Run: runOf(h), Sequence: sequence, At: stored.UTC(), Facts: []Fact{}}
	for _, fact := range facts.Facts {
		a.Facts = append(a.Facts, factOf(fact))
	}
	return a, nil
}

package trigger

import (
	"encoding/json"
	"strconv"
	"time"

	"zflow/engine"
	"zflow/engine/workflow"
	wire "zflow/proto"
	v1 "zflow/proto/zflow/v1"
)

// MostInChain is how many runs can have started one another by their ends before no more
// are: workflows that start each other would go on for ever.
const MostInChain = 16

// Ended is a run that ended, as the event of it says.
type Ended struct {
	Workflow  string          `json:"workflow"`
	Run       string          `json:"run"`
	Version   string          `json:"version"`
	Status    string          `json:"status"`
	EventID   string          `json:"event_id"`
	StartedAt time.Time       `json:"started_at"`
	EndedAt   time.Time       `json:"ended_at"`
	Output    json.RawMessage `json:"output"` // null where it has none, or one that is too large for an event
	Error     *EndedBy        `json:"error"`  // null unless it failed
	Reason    string          `json:"reason"` // why it failed or was canceled
	Step      string          `json:"step"`   // the path of the one that failed
	number    uint64          // of the fact: a run that is retried ends again
	chain     int             // runs before it that started one another
}

// EndedBy is what a run failed with.
type EndedBy struct {
	Message string `json:"message"`
	Code    string `json:"code"`
	Status  int32  `json:"status"`
}

// NewEnded is a run's end by the fact that says so, and by what the run was until then. The
// output is that of the fact, unless it lies elsewhere.
func NewEnded(name, id string, f *v1.Fact, r *engine.Run) *Ended {
	e := &Ended{Workflow: name, Run: id, EndedAt: time.Unix(0, f.At).UTC(), StartedAt: r.Started.UTC(), number: f.Number}
	if r.Start != nil {
		e.Version, e.EventID, e.chain = r.Start.Version, r.Start.GetEvent().GetId(), chainOf(r.Start.GetEvent())
	}
	switch k := f.Kind.(type) {
	case *v1.Fact_RunCompleted:
		e.Status, e.Output = string(workflow.Completed), k.RunCompleted.GetOutput().GetJson()
	case *v1.Fact_RunFailed:
		e.Status, e.Reason, e.Step = string(workflow.Failed), k.RunFailed.Reason, k.RunFailed.Step
		e.Error = &EndedBy{k.RunFailed.GetError().GetMessage(), k.RunFailed.GetError().GetCode(), k.RunFailed.GetError().GetStatus()}
	case *v1.Fact_RunCanceled:
		e.Status, e.Reason = string(workflow.Canceled), k.RunCanceled.Why
	default:
		return nil
	}
	return e
}

// chained is what the event of a run's end says besides.
type chained struct {
	Chain int `json:"chain"`
}

func chainOf(e *v1.Event) int {
	var c chained
	if e.GetSource() == wire.SourceRun {
		_ = json.Unmarshal(e.Trigger, &c) // else somebody else published it
	}
	return c.Chain
}

// TooLong says that so many runs started one another that this end starts none.
func (e *Ended) TooLong() bool { return e.chain >= MostInChain }

// Event is the event of an end, the same however often it is made.
func (e *Ended) Event(now time.Time) (*wire.Event, error) {
	if len(e.Output) == 0 {
		e.Output = json.RawMessage("null")
	}
	raw, err := json.Marshal(e)
	if err != nil {
		return nil, err
	}
	more, err := json.Marshal(chained{e.chain + 1})
	return &wire.Event{
		ID:   wire.EventID(wire.SourceRun, e.Workflow, e.Run+"."+strconv.FormatUint(e.number, 10)),
		Type: workflow.RunType(e.Workflow, workflow.State(e.Status)), Source: wire.SourceRun, Origin: wire.FromRun, Subject: e.Run,
		ContentType: "application/json", Time: e.EndedAt, ReceivedAt: now, Trigger: more, Body: raw,
	}, err
}

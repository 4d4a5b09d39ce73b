package workflow

import (
	"strings"

	"zflow/proto"
)

// SourceRun is the source of the events of runs that ended.
const SourceRun = proto.SourceRun

// AnyFlow stands for all workflows but the one with the trigger.
const AnyFlow = "*"

// RunType is the type of the event of a run that ended.
func RunType(flow string, end State) string { return flow + "." + string(end) }

// EndOf is the workflow and the state that a type names.
func EndOf(runType string) (flow string, end State) {
	flow, state, _ := strings.Cut(runType, ".")
	return flow, State(state)
}

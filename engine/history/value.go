package history

import (
	"maps"
	"slices"

	v1 "zflow/proto/zflow/v1"
)

// Values returns the values that stand in facts.
func Values(facts []*v1.Fact) []*v1.Value {
	var all []*v1.Value
	add := func(v *v1.Value) {
		if v != nil {
			all = append(all, v)
		}
	}
	for _, f := range facts {
		switch k := f.Kind.(type) {
		case *v1.Fact_RunStarted:
			add(k.RunStarted.GetEvent().GetBody())
		case *v1.Fact_RunCompleted:
			add(k.RunCompleted.Output)
		case *v1.Fact_StepStarted:
			add(k.StepStarted.Input)
		case *v1.Fact_StepCompleted:
			add(k.StepCompleted.Output)
		case *v1.Fact_ApprovalGiven:
			add(k.ApprovalGiven.Output)
		case *v1.Fact_RunEnding:
			add(k.RunEnding.Output)
		case *v1.Fact_ValueSet:
			add(k.ValueSet.Value)
		case *v1.Fact_LoopStarted:
			add(k.LoopStarted.Items)
		case *v1.Fact_WaitStarted:
			add(k.WaitStarted.GetApproval().GetFields())
		case *v1.Fact_WaitEnded:
			add(k.WaitEnded.Output)
		case *v1.Fact_CallStarted:
			add(k.CallStarted.Inputs)
		case *v1.Fact_CallEnded:
			add(k.CallEnded.Output)
		case *v1.Fact_SignalReceived:
			add(k.SignalReceived.Data)
		case *v1.Fact_RunRetried:
			for _, path := range slices.Sorted(maps.Keys(k.RunRetried.With)) {
				add(k.RunRetried.With[path])
			}
		case *v1.Fact_RunContinued:
			all = append(all, Values(k.RunContinued.Facts)...)
		}
	}
	return all
}

// lift takes out of facts the bytes of values that lie in BLOBS, which the
// holder of the run keeps in memory, and returns what puts them back.
func lift(facts []*v1.Fact) (back func()) {
	type pair struct {
		value *v1.Value
		json  []byte
	}
	var out []pair
	for _, v := range Values(facts) {
		if v.Blob != "" && v.Json != nil {
			out = append(out, pair{v, v.Json})
			v.Json = nil
		}
	}
	return func() {
		for _, p := range out {
			p.value.Json = p.json
		}
	}
}

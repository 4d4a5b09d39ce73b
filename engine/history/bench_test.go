package history_test

import (
	"context"
	"fmt"
	"testing"

	"google.golang.org/protobuf/reflect/protoreflect"

	"zflow/engine/history"
	v1 "zflow/proto/zflow/v1"
)

// holdsValue says whether a message has a Value somewhere inside.
func holdsValue(m protoreflect.MessageDescriptor, depth int) bool {
	if m == nil || depth > 4 {
		return false
	}
	if m.Name() == "Value" {
		return true
	}
	for i := range m.Fields().Len() {
		if holdsValue(m.Fields().Get(i).Message(), depth+1) {
			return true
		}
	}
	return false
}

// BenchmarkAppendAndLoad is a three-step run's four appends, each past the Gate,
// and a load of them.
func BenchmarkAppendAndLoad(b *testing.B) {
	s, _ := open(b)
	ctx := context.Background()
	b.ReportAllocs()
	for n := 0; b.Loop(); n++ {
		run := fmt.Sprint("run", n)
		var c history.Cursor
		for i := range uint64(4) {
			if err := s.Append(ctx, &c, history.Append{Workflow: "flow", Run: run, State: "running", Epoch: 1, Facts: []*v1.Fact{skipped(2*i + 1), skipped(2*i + 2)}}); err != nil {
				b.Fatal(err)
			}
			if err := s.Pass(ctx, &c); err != nil {
				b.Fatal(err)
			}
		}
		if _, err := s.Load(ctx, "flow", run); err != nil {
			b.Fatal(err)
		}
	}
}

package durable_test

import (
	"fmt"
	"sync"
	"testing"

	"github.com/nats-io/nats.go/jetstream"

	"zflow/internal/natstest"
)

// BenchmarkPass is a publish through the Gate by many callers at once: what
// bounds the whole engine. flushes/op tells how well they share.
func BenchmarkPass(b *testing.B) {
	for _, callers := range []int{1, 16, 64, 256} {
		b.Run(fmt.Sprint(callers), func(b *testing.B) {
			s := natstest.Start(b, natstest.Listen)
			js, g := s.JetStream(b), s.Gate(b)
			if _, err := js.CreateStream(b.Context(), jetstream.StreamConfig{Name: "RUNS", Subjects: []string{"r.>"}}); err != nil {
				b.Fatal(err)
			}
			body := make([]byte, 400)
			b.ReportAllocs()
			b.ResetTimer()
			var wg sync.WaitGroup
			for c := range callers {
				wg.Go(func() {
					for i := c; i < b.N; i += callers {
						m := g.Mark()
						if _, err := js.Publish(b.Context(), "r.x", body); err != nil {
							b.Error(err)
							return
						}
						if err := g.Pass(b.Context(), "RUNS", m); err != nil {
							b.Error(err)
							return
						}
					}
				})
			}
			wg.Wait()
			b.ReportMetric(float64(g.Flushes())/float64(b.N), "flushes/op")
		})
	}
}

// BenchmarkMark is on the path of every publish.
func BenchmarkMark(b *testing.B) {
	g := natstest.Start(b).Gate(b)
	b.ReportAllocs()
	for b.Loop() {
		_ = g.Mark()
	}
}

package worker

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"zflow/proto"
)

// BenchmarkRuns measures a three-step run from publish to end, at some concurrency.
func BenchmarkRuns(b *testing.B) {
	for _, conc := range []int{1, 64} {
		b.Run(fmt.Sprint(conc), func(b *testing.B) { benchRuns(b, conc) })
	}
}

func benchRuns(b *testing.B, conc int) {
	r := newRig(b)
	r.deploy(three)
	w := r.start()
	body := []byte(`{"event":"meeting.ended","payload":{"account_id":"acct","object":{"id":7,"topic":"Launch","duration":45}}}`)
	sub, err := r.js.Conn().SubscribeSync("zflow.run.three.*.completed")
	r.must(err)
	r.must(r.js.Conn().Flush())
	tokens := make(chan struct{}, conc)
	var publishing sync.WaitGroup
	go func() {
		for i := range b.N {
			tokens <- struct{}{}
			publishing.Go(func() {
				_, err := r.publish.Publish(context.Background(), &proto.Event{ID: fmt.Sprintf("e%d-%d", b.N, i), Type: "meeting.ended",
					Source: "zoom/default", Account: "acct", Time: time.Now(), ReceivedAt: time.Now(), Body: body})
				if err != nil {
					b.Error(err)
				}
			})
		}
	}()
	b.ResetTimer()
	for range b.N {
		if _, err := sub.NextMsg(20 * time.Second); err != nil {
			b.Fatal(err)
		}
		<-tokens
	}
	b.StopTimer()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "runs/s")
	b.ReportMetric(float64(w.Gate.Flushes())/float64(b.N), "flushes/run")
	publishing.Wait()
}

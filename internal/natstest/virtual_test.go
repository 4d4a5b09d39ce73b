package natstest_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"zflow/internal/natstest"
)

func TestVirtualTimeAges(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		natstest.VirtualTime(t)
		s := natstest.Start(t)
		js, g := s.JetStream(t), s.Gate(t)
		aging := stream
		aging.MaxAge = 4 * time.Minute
		st, err := js.CreateStream(t.Context(), aging)
		if err != nil {
			t.Fatal(err)
		}
		for range 5 {
			publish(t, js, g)
			time.Sleep(time.Minute)
		}
		i, err := st.Info(t.Context(), jetstream.WithSubjectFilter(">"))
		if err != nil || i.State.Msgs != 3 && i.State.Msgs != 4 {
			t.Errorf("%d messages are left of five, one a minute, with an age of four: %v", i.State.Msgs, err)
		}
	})
}

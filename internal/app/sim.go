package app

import (
	"context"
	"net"

	"zflow/internal/zoomsim"
)

// RunSim serves a simulated Zoom until ctx ends. The secret signs its webhooks;
// deliver, if not empty, gets them.
func RunSim(ctx context.Context, l net.Listener, secret, deliver string) error {
	sim := zoomsim.New(zoomsim.Options{Imagine: true, Apps: []zoomsim.App{{SecretToken: secret}}})
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	if deliver != "" {
		go func() {
			if _, err := sim.Subscribe(ctx, zoomsim.Subscription{URL: deliver}); err != nil {
				cancel(err)
			}
		}()
	}
	if err := sim.Serve(ctx, l); err != nil {
		return err
	}
	if err := context.Cause(ctx); err != context.Canceled {
		return err
	}
	return nil
}

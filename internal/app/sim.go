package app

import (
	"context"
	"errors"
	"net"
	"time"

	"zflow/internal/zoomsim"
)

// simGrace is how long deliveries under way have when the simulator ends: an
// answer is waited for 3 s.
const simGrace = 4 * time.Second

// RunSim serves a simulated Zoom until ctx ends. The secret signs its webhooks;
// deliver, if not empty, gets them.
func RunSim(ctx context.Context, l net.Listener, secret, deliver string) error {
	sim := zoomsim.New(zoomsim.Options{Imagine: true, NoMe: true, Apps: zoomsim.EachKind(secret)})
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	subscribed := make(chan error, 1)
	go func() { subscribed <- subscribeSim(ctx, stop, sim, deliver) }()
	err := serveSim(ctx, sim, l)
	stop()
	return errors.Join(err, <-subscribed)
}

// subscribeSim makes a URL get the events, and ends all if it cannot.
func subscribeSim(ctx context.Context, stop func(), sim *zoomsim.Sim, url string) error {
	if url == "" {
		return nil
	}
	_, err := sim.Subscribe(ctx, zoomsim.Subscription{URL: url})
	if err == nil || ctx.Err() != nil {
		return nil
	}
	stop()
	return err
}

// serveSim serves until ctx ends, then lets what is under way end.
func serveSim(ctx context.Context, sim *zoomsim.Sim, l net.Listener) error {
	err := sim.Serve(ctx, l)
	grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), simGrace)
	defer cancel()
	return errors.Join(err, sim.Close(grace))
}

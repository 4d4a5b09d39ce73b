package durable

import (
	"context"

	"github.com/nats-io/nats.go"
)

// link is one unbroken stretch of the connection: its context ends with it, so
// that a request whose answer cannot come any more does not wait for its limit.
type link struct {
	ctx    context.Context
	cancel context.CancelFunc
}

func newLink() *link {
	ctx, cancel := context.WithCancel(context.Background())
	return &link{ctx: ctx, cancel: cancel}
}

// watch renews the link at each loss of the connection, until that is closed.
func (g *Gate) watch(lost chan nats.Status) {
	for s := range lost {
		old := g.link.Swap(newLink())
		old.cancel()
		if s == nats.CLOSED {
			g.nc.RemoveStatusListener(lost)
			g.link.Load().cancel()
			return
		}
	}
}

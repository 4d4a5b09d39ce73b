//go:build unix

package e2e

import (
	"context"
	"sync"
	"time"

	"github.com/nats-io/nats.go"

	"zflow/internal/app"
	"zflow/internal/app/link"
	"zflow/proto"
)

// procLoad publishes events as ingest does, until each is accepted.
type procLoad struct {
	client *app.Client
	order  []int // of the workflows for which events come

	work     sync.WaitGroup
	mu       sync.Mutex
	accepted map[string]string // run to workflow
	tries    int               // that failed
}

// procConnect opens a client as ingest's and makes the streams.
func procConnect(ctx context.Context, url string) (*app.Client, error) {
	registry, err := app.Actions(app.ActionsConfig{})
	if err != nil {
		return nil, err
	}
	quiet := nats.ErrorHandler(func(*nats.Conn, *nats.Subscription, error) {}) // what is lost is published again
	cc := app.ClientConfig{Config: link.Config{URL: url, Name: "ingest", Wait: true, Options: []nats.Option{quiet}}, Known: app.Known(registry, nil)}
	nc, err := link.Dial(ctx, cc.Config)
	if err != nil {
		return nil, err
	}
	client, err := procOpen(ctx, cc, nc)
	if err != nil {
		nc.Close()
		return nil, err
	}
	return client, nil
}

// procSetUp makes the streams and deploys the workflows.
func procSetUp(ctx context.Context, url, api string) (*procLoad, error) {
	client, err := procConnect(ctx, url)
	if err != nil {
		return nil, err
	}
	for _, f := range procFlows {
		_, problems, err := client.Catalog.Deploy(ctx, f.name+".yaml", f.source(api))
		if err == nil {
			err = problems.Err()
		}
		if err != nil {
			client.Close()
			return nil, err
		}
	}
	return &procLoad{client: client, order: procPlain, accepted: map[string]string{}}, nil
}

// publish publishes event n, again and again, in the background; every tenth is
// published once more afterwards, as Zoom does at times.
func (l *procLoad) publish(ctx context.Context, n int) {
	flow := procFlows[l.order[n%len(l.order)]]
	e := procEvent(flow.event, n)
	l.work.Go(func() {
		l.accept(ctx, e)
		if n%10 == 0 {
			l.accept(ctx, e)
		}
		run := proto.RunID(flow.name, e.ID)
		l.note(ctx, run, flow.name)
		if flow.then != nil {
			flow.then(l, ctx, procSent{n, run})
		}
	})
}

func (l *procLoad) note(ctx context.Context, run, workflow string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if ctx.Err() == nil {
		l.accepted[run] = workflow
	}
}

func (l *procLoad) accept(ctx context.Context, e *proto.Event) {
	for ctx.Err() == nil {
		try, cancel := context.WithTimeout(ctx, 2500*time.Millisecond)
		_, err := l.client.Publisher.Publish(try, e)
		cancel()
		if err == nil {
			return
		}
		l.mu.Lock()
		l.tries++
		l.mu.Unlock()
		<-time.After(200 * time.Millisecond)
	}
}

// runs returns what was accepted.
func (l *procLoad) runs() map[string]string {
	l.mu.Lock()
	defer l.mu.Unlock()
	all := make(map[string]string, len(l.accepted))
	for run, flow := range l.accepted {
		all[run] = flow
	}
	return all
}

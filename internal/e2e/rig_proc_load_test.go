//go:build unix

package e2e

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats.go"

	"zflow/internal/app"
	"zflow/proto"
)

// procFlows are the workflows of a rig by the type of event that starts them: two
// writes that are no idempotent ones; a read, a sleep and an idempotent write; a
// sleep that parks the run, then a write.
var procFlows = []struct{ event, name, steps string }{
	{"meeting.ended", "posts", `
  - { id: first, uses: http.request, with: { method: POST, url: "API/first", json: { run: "${{ run.id }}" } }, on_unknown: retry }
  - { id: second, uses: http.request, with: { method: POST, url: "API/second" }, on_unknown: retry }`},
	{"meeting.started", "mixed", `
  - { id: get, uses: http.request, with: { url: "API/get" } }
  - { id: nap, sleep: 300ms }
  - { id: put, uses: http.request, with: { method: PUT, url: "API/put", json: { key: "${{ step.key }}" } } }`},
	{"recording.completed", "parks", `
  - { id: nap, sleep: 2500ms }
  - { id: post, uses: http.request, with: { method: POST, url: "API/post" }, on_unknown: retry }`},
}

// procLoad publishes events as ingest does, until each is accepted.
type procLoad struct {
	client *app.Client

	work     sync.WaitGroup
	mu       sync.Mutex
	accepted map[string]string // run to workflow
	tries    int               // that failed
}

// procSetUp makes the streams and deploys the workflows.
func procSetUp(ctx context.Context, url, api string) (*procLoad, error) {
	registry, err := app.Actions(app.ActionsConfig{})
	if err != nil {
		return nil, err
	}
	quiet := nats.ErrorHandler(func(*nats.Conn, *nats.Subscription, error) {}) // what is lost is published again
	cc := app.ClientConfig{URL: url, Name: "ingest", Wait: true, Known: app.Known(registry, nil), Options: []nats.Option{quiet}}
	nc, err := app.Dial(ctx, cc)
	if err != nil {
		return nil, err
	}
	client, err := procOpen(ctx, cc, nc)
	if err != nil {
		nc.Close()
		return nil, err
	}
	for _, f := range procFlows {
		src := fmt.Sprintf("name: %s\non: [ { zoom: %s } ]\nretry: { attempts: 30, delay: 100ms }\nsteps:%s\n", f.name, f.event, strings.ReplaceAll(f.steps, "API", api))
		_, problems, err := client.Catalog.Deploy(ctx, f.name+".yaml", []byte(src))
		if err == nil {
			err = problems.Err()
		}
		if err != nil {
			nc.Close()
			return nil, err
		}
	}
	return &procLoad{client: client, accepted: map[string]string{}}, nil
}

// publish publishes event n, again and again, in the background; every tenth is
// published once more afterwards, as Zoom does at times.
func (l *procLoad) publish(ctx context.Context, n int) {
	flow := procFlows[[]int{0, 1, 0, 2, 1}[n%5]]
	e := &proto.Event{
		ID: proto.EventID("default", flow.event, fmt.Sprint(n)), Type: flow.event, Source: "zoom/default", Account: "acct",
		Origin: proto.FromTest, Time: time.Now(), ReceivedAt: time.Now(), ContentType: "application/json",
		Body: fmt.Appendf(nil, `{"event":%q,"payload":{"account_id":"acct","object":{"id":%d}}}`, flow.event, n),
	}
	l.work.Go(func() {
		l.accept(ctx, e)
		if n%10 == 0 {
			l.accept(ctx, e)
		}
		l.mu.Lock()
		defer l.mu.Unlock()
		if ctx.Err() == nil {
			l.accepted[proto.RunID(flow.name, e.ID)] = flow.name
		}
	})
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

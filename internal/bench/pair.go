package bench

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"zflow/internal/app"
	"zflow/internal/bench/usage"
	"zflow/proto"
)

// startWithin is how long a process may take to be ready.
const startWithin = 30 * time.Second

// pair is a broker and a worker, each in a process of its own.
type pair struct {
	folder         string
	broker, worker *process
	client         *app.Client
}

// startPair starts them on a folder of their own and deploys workflows. The
// caller ends them, after an error too.
func (b *bench) startPair(ctx context.Context, name string, flows ...string) (p *pair, err error) {
	b.say("%s: starting a broker and a worker", name)
	p = &pair{folder: filepath.Join(b.folder, name)}
	if err := os.MkdirAll(p.folder, 0o700); err != nil {
		return p, fmt.Errorf("making a folder for the data: %w", err)
	}
	if p.broker, err = start(ctx, b.Program, order{System: Broker, Folder: p.folder}, b.Errors); err != nil {
		return p, err
	}
	if p.worker, err = start(ctx, b.Program, order{System: Worker, Folder: p.folder, NATS: p.broker.at.NATS}, b.Errors); err != nil {
		return p, err
	}
	if err := p.worker.ready(ctx); err != nil {
		return p, err
	}
	if p.client, err = app.Connect(ctx, p.broker.at.NATS, "", ""); err != nil {
		return p, err
	}
	for _, flow := range flows {
		if _, _, err := p.client.Catalog.Deploy(ctx, name+".yaml", []byte(flow)); err != nil {
			return p, err
		}
	}
	return p, nil
}

// ready waits until a worker or a console says that it is.
func (p *process) ready(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, startWithin)
	defer cancel()
	for {
		body, err := get(ctx, p.at.Metrics+"/readyz")
		if err == nil {
			return body.Close()
		}
		if stopped := wait(ctx, 20*time.Millisecond); stopped != nil {
			return fmt.Errorf("starting %s: it is not ready: %w", p.at.Metrics, err)
		}
	}
}

// end ends both, lets their folder go, and says what went wrong first.
func (p *pair) end() (err error) {
	if p.worker != nil {
		err = p.worker.end()
	}
	if p.client != nil {
		p.client.Close()
	}
	if p.broker != nil {
		err = errors.Join(err, p.broker.end())
	}
	return errors.Join(err, os.RemoveAll(p.folder))
}

// publish stores an event that starts a run, durably.
func (p *pair) publish(ctx context.Context, eventType, key string, body []byte) (err error) {
	_, err = p.client.Publisher.Publish(ctx, appEvent(eventType, key, body))
	return err
}

// appEvent is an event as a program publishes it.
func appEvent(eventType, key string, body []byte) *proto.Event {
	now := time.Now().UTC()
	return &proto.Event{ID: proto.EventID(proto.SourceApp, eventType, key), Type: eventType, Source: proto.SourceApp, Origin: proto.FromTest,
		ContentType: "application/json", Time: now, ReceivedAt: now, Body: body}
}

// count returns how often something happened, as the worker counts it.
func (p *pair) count(ctx context.Context, what string) (n int, err error) {
	body, err := get(ctx, p.worker.at.Metrics+"/metrics")
	if err != nil {
		return 0, fmt.Errorf("asking the worker what it did: %w", err)
	}
	defer body.Close()
	for lines := bufio.NewScanner(body); lines.Scan(); {
		line := lines.Text()
		if !strings.Contains(line, `what="`+what+`"`) {
			continue
		}
		one, err := strconv.ParseFloat(line[strings.LastIndexByte(line, ' ')+1:], 64)
		if err != nil {
			return 0, fmt.Errorf("reading what the worker did: %w", err)
		}
		n += int(one)
	}
	return n, nil
}

func get(ctx context.Context, url string) (io.ReadCloser, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, err
	}
	if res.StatusCode != http.StatusOK {
		return nil, errors.Join(fmt.Errorf("%s answers %s", url, res.Status), res.Body.Close())
	}
	return res.Body, nil
}

// leanly is what a process has used, once what it does not need is given back.
func (p *process) leanly() (usage.Process, error) {
	if _, err := p.ask(request{Collect: true}); err != nil {
		return usage.Process{}, err
	}
	return usage.Read(p.pid())
}

// cpu is what both have used of it.
func (p *pair) cpu() (time.Duration, error) {
	broker, err1 := usage.Read(p.broker.pid())
	worker, err2 := usage.Read(p.worker.pid())
	return broker.CPU + worker.CPU, errors.Join(err1, err2)
}

package bench

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"

	"zflow/internal/bench/load"
	"zflow/internal/bench/stage"
)

const answerName = "answer"

// answered is a workflow that an HTTP request starts and that answers it after a call.
func (b *bench) answered() string {
	return fmt.Sprintf(`name: %s
on: [ { http: { respond: when_done } } ]
steps:
  - uses: http.request
    on_unknown: retry
    with: { method: POST, url: %q, json: { n: "${{ event.n }}" } }
  - respond: { body: { run: "${{ run.id }}" } }
`, answerName, b.url+stage.Path)
}

// answer measures how long a request to an HTTP trigger waits beyond what its run takes.
func (b *bench) answer(ctx context.Context, s *Scenario) (err error) {
	s.About = "requests to an HTTP trigger that are answered by a step of their run, behind one call; one at a time"
	p, err := b.startPair(ctx, s.Name, b.answered())
	defer func() { err = errors.Join(err, p.end()) }()
	if err != nil {
		return err
	}
	in, err := start(ctx, b.Program, order{System: Ingest, Folder: p.folder, NATS: p.broker.at.NATS, Secret: secret}, b.Errors)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, in.end()) }()
	at, err := url.Parse(in.at.Webhooks)
	if err != nil {
		return err
	}
	at.Path = "/http/" + answerName
	b.stage.Set(0, 0)
	b.say("answer: requests to an HTTP trigger")
	waits, runs, err := b.asked(ctx, p, at.String())
	if err != nil {
		return err
	}
	wait, run := load.SpreadOf(waits), load.SpreadOf(runs)
	s.figure("request to its answer, p50", wait.P50, "ms")
	s.figure("request to its answer, p99", wait.P99, "ms")
	s.figure("the run, from its start to its end, p50", run.P50, "ms")
	b.report.aim("HTTP trigger, when_done: wait beyond the run, p50", "< 15 ms", fmt.Sprintf("%.1f ms", wait.P50-run.P50), wait.P50-run.P50 < 15)
	return nil
}

// asked sends requests and returns how long their answers took, and their runs.
func (b *bench) asked(ctx context.Context, p *pair, at string) (waits, runs []time.Duration, err error) {
	if err := routed(ctx, at); err != nil {
		return nil, nil, err
	}
	var ids []string
	for begun := time.Now(); len(ids) == 0 || time.Since(begun) < b.Length; {
		sent := time.Now()
		run, err := ask(ctx, at, len(ids))
		if err != nil {
			return nil, nil, err
		}
		waits, ids = append(waits, time.Since(sent)), append(ids, run)
	}
	for _, run := range ids {
		if _, err := p.ended(ctx, answerName, run); err != nil {
			return nil, nil, err
		}
		h, err := p.client.History.Load(ctx, answerName, run)
		if err != nil {
			return nil, nil, err
		}
		runs = append(runs, h.Stored[len(h.Stored)-1].Sub(h.Stored[0]))
	}
	return waits, runs, nil
}

// routed waits until ingest knows the trigger.
func routed(ctx context.Context, at string) error {
	for begun := time.Now(); ; {
		_, err := ask(ctx, at, 0)
		if !errors.Is(err, errNotThere) || time.Since(begun) > startWithin {
			return err
		}
		if err := wait(ctx, 10*time.Millisecond); err != nil {
			return err
		}
	}
}

var errNotThere = errors.New("no such HTTP trigger")

// ask sends one request, and returns the run that answered.
func ask(ctx context.Context, at string, n int) (run string, err error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, at, bytes.NewReader(fmt.Appendf(nil, `{"n":%d}`, n)))
	if err != nil {
		return "", err
	}
	r.Header.Set("Content-Type", "application/json")
	w, err := http.DefaultClient.Do(r)
	if err != nil {
		return "", err
	}
	raw, err := io.ReadAll(w.Body)
	if err := errors.Join(err, w.Body.Close()); err != nil {
		return "", err
	}
	var said struct{ Run string }
	switch {
	case w.StatusCode == http.StatusNotFound:
		return "", errNotThere
	case w.StatusCode != http.StatusOK || json.Unmarshal(raw, &said) != nil || said.Run == "":
		return "", fmt.Errorf("the trigger answers %s: %.200s", w.Status, raw)
	}
	return said.Run, nil
}

package bench

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime/debug"
	"runtime/pprof"

	"go.uber.org/zap"

	"zflow/internal/app"
	"zflow/internal/settings"
)

// Null is the pipeline that keeps nothing. The others are modes of durability.
const (
	Null   = "null"
	Group  = "group"
	Always = "always"
)

// order is the first line that a process under measurement is told.
type order struct {
	System string `json:"system"`
	Folder string `json:"folder"` // for workflows and data
	API    string `json:"api"`    // what the steps call
	Secret string `json:"secret"` // of the webhooks, or the token of the API
	NATS   string `json:"nats"`   // of the broker that a worker works on, or a console
}

// request is every other line; report answers each, and the order.
type request struct {
	Profile string `json:"profile,omitempty"` // a file: begin to profile the CPU
	Stop    bool   `json:"stop,omitempty"`    // end the profile
	Collect bool   `json:"collect,omitempty"` // give back all memory that is not in use
}

type report struct {
	Webhooks string `json:"webhooks,omitempty"` // where they go
	NATS     string `json:"nats,omitempty"`
	Mail     string `json:"mail,omitempty"`    // of an ingest: where mails come to
	API      string `json:"api,omitempty"`     // of a console
	Metrics  string `json:"metrics,omitempty"` // of a worker or a console: its address for health
	Flushes  uint64 `json:"flushes"`           // flush requests that the broker got
	Error    string `json:"error,omitempty"`
}

// served is a system that runs in this process.
type served interface {
	report() report
	failed() <-chan error
	close()
}

// Serve is the process under measurement: it starts what the first line of in
// orders, answers the lines that follow on out, and ends with in or ctx.
func Serve(ctx context.Context, in io.Reader, out io.Writer, log *zap.Logger) error {
	lines, answers := lines(in), json.NewEncoder(out)
	first, ok := <-lines
	if !ok {
		return errors.New("serving: no order came")
	}
	var o order
	if err := json.Unmarshal(first, &o); err != nil {
		return fmt.Errorf("serving: reading the order: %w", err)
	}
	s, err := serve(ctx, o, log)
	if err != nil {
		return errors.Join(err, answers.Encode(report{Error: err.Error()}))
	}
	defer s.close()
	if err := answers.Encode(s.report()); err != nil {
		return fmt.Errorf("serving: %w", err)
	}
	return attend(ctx, s, lines, answers)
}

// lines reads in the background, until in ends.
func lines(in io.Reader) <-chan []byte {
	c := make(chan []byte)
	go func() {
		defer close(c)
		for s := bufio.NewScanner(in); s.Scan(); {
			c <- append([]byte(nil), s.Bytes()...)
		}
	}()
	return c
}

func serve(ctx context.Context, o order, log *zap.Logger) (served, error) {
	switch o.System {
	case Null:
		return startNull(o)
	case Broker:
		return startBroker(ctx, o, log)
	case Worker:
		return startWorker(ctx, o, log)
	case Ingest:
		return startIngest(ctx, o, log)
	case Console:
		return startConsole(ctx, o, log)
	}
	return startZflow(ctx, o, log)
}

// attend answers requests.
func attend(ctx context.Context, s served, lines <-chan []byte, answers *json.Encoder) error {
	defer pprof.StopCPUProfile()
	for {
		select {
		case <-ctx.Done():
			return nil
		case err := <-s.failed():
			return fmt.Errorf("serving: %w", err)
		case line, ok := <-lines:
			if !ok {
				return nil
			}
			r := s.report()
			if err := obey(line); err != nil {
				r.Error = err.Error()
			}
			if err := answers.Encode(r); err != nil {
				return fmt.Errorf("serving: %w", err)
			}
		}
	}
}

func obey(line []byte) error {
	var r request
	if err := json.Unmarshal(line, &r); err != nil {
		return fmt.Errorf("reading a request: %w", err)
	}
	if r.Stop {
		pprof.StopCPUProfile()
	}
	if r.Collect {
		debug.FreeOSMemory()
	}
	if r.Profile == "" {
		return nil
	}
	f, err := os.Create(r.Profile)
	if err != nil {
		return err
	}
	return pprof.StartCPUProfile(f) // which keeps the file until the profile ends
}

// zflow is `zflow dev`, as anybody starts it.
type zflow struct {
	dev   *app.Dev
	fails chan error
}

func startZflow(ctx context.Context, o order, log *zap.Logger) (served, error) {
	flows, data, err := folders(o)
	if err != nil {
		return nil, err
	}
	config := settings.Default()
	config.HTTPAllow = []string{"127.0.0.1"}
	if o.System == Always {
		config.NATS.Durability = settings.DurabilityAlways
		log = log.WithOptions(zap.IncreaseLevel(zap.ErrorLevel)) // that it cannot be verified is a warning, but it is so by our own order
	}
	dev, err := app.StartDev(ctx, app.DevConfig{
		Dir: flows, Data: data, IngestListen: "127.0.0.1:0", NATSListen: "127.0.0.1:0", ZoomSecret: o.Secret,
		Config: config, Out: io.Discard, Log: log,
	})
	if err != nil {
		return nil, err
	}
	z := &zflow{dev, make(chan error, 1)}
	go func() {
		if err := dev.Wait(ctx); err != nil {
			z.fails <- err
		}
	}()
	return z, nil
}

func (z *zflow) report() report {
	return report{Webhooks: z.dev.IngestURL() + "/hooks/zoom/default", NATS: z.dev.NATSURL(), Flushes: z.dev.Flushes().Requests}
}

func (z *zflow) failed() <-chan error { return z.fails }

func (z *zflow) close() { z.dev.Close() }

package bench

import (
	"context"
	"errors"
	"fmt"
	"net"
	"path/filepath"

	"go.uber.org/zap"

	"zflow/internal/app"
	"zflow/internal/app/broker"
	"zflow/internal/settings"
)

// Broker and Worker are zflow as it is deployed: two processes, each of which can
// be measured for itself.
const (
	Broker = "broker"
	Worker = "worker"
)

// brokerPart is the broker in this process.
type brokerPart struct {
	broker *broker.Broker
	fails  chan error
}

func startBroker(ctx context.Context, o order, log *zap.Logger) (served, error) {
	b, err := broker.Start(ctx, broker.Config{Data: filepath.Join(o.Folder, "jetstream"), Listen: "127.0.0.1:0", Log: log})
	if err != nil {
		return nil, err
	}
	p := &brokerPart{b, make(chan error, 1)}
	go func() {
		<-b.Done()
		p.fails <- errors.Join(errors.New("the broker ended"), b.Err())
	}()
	return p, nil
}

func (p *brokerPart) report() report {
	return report{NATS: p.broker.URL(), Flushes: p.broker.Flushes().Requests}
}

func (p *brokerPart) failed() <-chan error { return p.fails }

func (p *brokerPart) close() { p.broker.Shutdown() }

// workerPart is a worker in this process.
type workerPart struct {
	metrics string // URL
	stop    func()
	done    chan struct{}
	fails   chan error
}

func startWorker(ctx context.Context, o order, log *zap.Logger) (served, error) {
	config := settings.Default()
	config.NATS.URL, config.HTTPAllow = o.NATS, []string{"127.0.0.1"}
	config.Worker.SealingKeysFile = filepath.Join(o.Folder, "sealing.keys")
	if _, err := app.CreateKeys(config.Worker.SealingKeysFile, filepath.Join(o.Folder, "sealing.pub")); err != nil {
		return nil, err
	}
	var err error
	if config.Worker.MetricsListen, err = freeAddress(); err != nil {
		return nil, err
	}
	run, stop := context.WithCancel(ctx)
	p := &workerPart{"http://" + config.Worker.MetricsListen, stop, make(chan struct{}), make(chan error, 1)}
	go func() {
		defer close(p.done)
		if err := app.RunWorker(run, config, log); err != nil {
			p.fails <- err
		}
	}()
	return p, nil
}

// freeAddress returns one on loopback that nobody listens on.
func freeAddress() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", fmt.Errorf("looking for a free port: %w", err)
	}
	return l.Addr().String(), l.Close()
}

func (p *workerPart) report() report { return report{Metrics: p.metrics} }

func (p *workerPart) failed() <-chan error { return p.fails }

func (p *workerPart) close() { p.stop(); <-p.done }

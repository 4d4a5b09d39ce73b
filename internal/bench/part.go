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

// Broker, Worker and Console are zflow as it is deployed: processes, each of which
// can be measured for itself.
const (
	Broker  = "broker"
	Worker  = "worker"
	Console = "console"
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

// running is a worker or a console in this process.
type running struct {
	said  report // its addresses
	stop  func()
	done  chan struct{}
	fails chan error
}

func begin(ctx context.Context, said report, run func(context.Context) error) *running {
	ctx, stop := context.WithCancel(ctx)
	p := &running{said, stop, make(chan struct{}), make(chan error, 1)}
	go func() {
		defer close(p.done)
		if err := run(ctx); err != nil {
			p.fails <- err
		}
	}()
	return p
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
	return begin(ctx, report{Metrics: "http://" + config.Worker.MetricsListen}, func(ctx context.Context) error {
		return app.RunWorker(ctx, config, log)
	}), nil
}

func startConsole(ctx context.Context, o order, log *zap.Logger) (served, error) {
	config, err1 := settings.Default(), error(nil)
	config.NATS.URL, config.Console.Tokens = o.NATS, []settings.Secret{settings.NewSecret(o.Secret)}
	config.Console.Listen, err1 = freeAddress()
	metrics, err2 := freeAddress()
	if err := errors.Join(err1, err2); err != nil {
		return nil, err
	}
	config.Console.MetricsListen = metrics
	return begin(ctx, report{API: "http://" + config.Console.Listen, Metrics: "http://" + metrics}, func(ctx context.Context) error {
		return app.RunConsole(ctx, config, log)
	}), nil
}

// freeAddress returns one on loopback that nobody listens on.
func freeAddress() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", fmt.Errorf("looking for a free port: %w", err)
	}
	return l.Addr().String(), l.Close()
}

func (p *running) report() report { return p.said }

func (p *running) failed() <-chan error { return p.fails }

func (p *running) close() { p.stop(); <-p.done }

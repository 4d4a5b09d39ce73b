package broker

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"go.uber.org/zap"
)

// serveHealth serves /healthz, /readyz and /metrics.
func (b *Broker) serveHealth(address string) error {
	l, err := net.Listen("tcp", address)
	if err != nil {
		return fmt.Errorf("listening for health checks: %w", err)
	}
	registry := prometheus.NewRegistry()
	registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}), metrics{b})
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", b.answerHealth(b.alive))
	mux.HandleFunc("GET /readyz", b.answerHealth(b.ready))
	mux.Handle("GET /metrics", promhttp.HandlerFor(registry, promhttp.HandlerOpts{}))
	b.address = l.Addr()
	b.health = &http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second, IdleTimeout: time.Minute}
	go func() {
		if err := b.health.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			b.log.Error("health checks are not served any more", zap.Error(err))
		}
	}()
	return nil
}

func (b *Broker) answerHealth(check func() error) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		if err := check(); err != nil {
			http.Error(w, err.Error(), http.StatusServiceUnavailable)
			return
		}
		_, _ = fmt.Fprintln(w, "ok") // a client that has gone needs no answer
	}
}

// alive tells whether restarting would help.
func (b *Broker) alive() error {
	select {
	case <-b.done:
		return errors.New("the flush service has ended")
	default:
		return nil
	}
}

// ready tells whether messages can be stored and made durable.
func (b *Broker) ready() error {
	if err := b.alive(); err != nil {
		return err
	}
	if s := b.nats.Healthz(&server.HealthzOptions{}); s.StatusCode != 0 && s.StatusCode != http.StatusOK {
		return errors.New(s.Error)
	}
	return nil
}

// metrics reads what the flush service and the server count anyway.
type metrics struct{ b *Broker }

// Describe implements prometheus.Collector.
func (m metrics) Describe(ch chan<- *prometheus.Desc) { prometheus.DescribeByCollect(m, ch) }

// Collect implements prometheus.Collector.
func (m metrics) Collect(ch chan<- prometheus.Metric) {
	send := func(name, help string, kind prometheus.ValueType, v float64) {
		ch <- prometheus.MustNewConstMetric(prometheus.NewDesc(name, help, nil, nil), kind, v)
	}
	c, d := m.b.Flushes(), m.b.disk()
	send("zflow_flush_requests_total", "Flush requests received.", prometheus.CounterValue, float64(c.Requests))
	send("zflow_flushes_total", "Flushes done, each for all requests at hand.", prometheus.CounterValue, float64(c.Flushes))
	send("zflow_flush_syncs_total", "Files and folders flushed.", prometheus.CounterValue, float64(c.Syncs))
	send("zflow_flush_seconds_total", "Time spent flushing.", prometheus.CounterValue, c.Busy.Seconds())
	send("zflow_flush_slowest_seconds", "The longest flush since the start.", prometheus.GaugeValue, c.Slowest.Seconds())
	send("zflow_disk_free_bytes", "Bytes free on the disk of the streams.", prometheus.GaugeValue, float64(d.Free))
	send("zflow_disk_reserve_bytes", "Below this many free bytes nothing new is accepted.", prometheus.GaugeValue, float64(d.Reserve))
	if v, err := m.b.nats.Varz(nil); err == nil {
		send("zflow_nats_connections", "Clients connected.", prometheus.GaugeValue, float64(v.Connections))
		send("zflow_nats_slow_consumers_total", "Clients cut off because they read too slowly.", prometheus.CounterValue, float64(v.SlowConsumers))
	}
	if j, err := m.b.nats.Jsz(nil); err == nil {
		send("zflow_jetstream_messages", "Messages stored.", prometheus.GaugeValue, float64(j.Messages))
		send("zflow_jetstream_bytes", "Bytes that the messages take.", prometheus.GaugeValue, float64(j.Bytes))
	}
}

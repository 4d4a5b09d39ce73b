package app

import (
	"context"
	"errors"
	"net"
	"net/http"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"zflow/engine/worker"
)

// serveWorkerHealth serves /healthz, /readyz and /metrics of a worker; an empty
// address serves nothing.
func serveWorkerHealth(address string, nc *nats.Conn, w *workerProcess) (stop func(), err error) {
	if address == "" {
		return func() {}, nil
	}
	l, err := net.Listen("tcp", address)
	if err != nil {
		return nil, err
	}
	registry := prometheus.NewRegistry()
	registry.MustRegister(workerCollector{w.Worker}, w.feeds, w.mailboxes, w.accounts)
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(rw http.ResponseWriter, _ *http.Request) { rw.WriteHeader(http.StatusOK) })
	mux.HandleFunc("GET /readyz", func(rw http.ResponseWriter, _ *http.Request) {
		if !nc.IsConnected() {
			http.Error(rw, "NATS is away", http.StatusServiceUnavailable)
		}
	})
	mux.Handle("GET /metrics", promhttp.HandlerFor(registry, promhttp.HandlerOpts{}))
	server := &http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second}
	go func() {
		if err := server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			nc.Close() // without health nobody would notice: the process ends
		}
	}()
	return func() { _ = server.Shutdown(context.Background()) }, nil
}

// workerCollector turns what a worker counts into metrics.
type workerCollector struct{ worker *worker.Worker }

var (
	workerCounts = prometheus.NewDesc("zflow_worker_total", "What the worker did, by name, workflow and event type.", []string{"what", "workflow", "event_type"}, nil)
	gateFlushes  = prometheus.NewDesc("zflow_gate_flushes_total", "Flush requests that the worker sent.", nil, nil)
	gatePasses   = prometheus.NewDesc("zflow_gate_passes_total", "How often something waited to be durable.", nil, nil)
)

// Describe implements prometheus.Collector.
func (workerCollector) Describe(ch chan<- *prometheus.Desc) {
	ch <- workerCounts
	ch <- gateFlushes
	ch <- gatePasses
}

// Collect implements prometheus.Collector.
func (c workerCollector) Collect(ch chan<- prometheus.Metric) {
	for k, n := range c.worker.Counts() {
		ch <- prometheus.MustNewConstMetric(workerCounts, prometheus.CounterValue, float64(n), k.Name, k.Workflow, k.Type)
	}
	ch <- prometheus.MustNewConstMetric(gateFlushes, prometheus.CounterValue, float64(c.worker.Gate.Flushes()))
	ch <- prometheus.MustNewConstMetric(gatePasses, prometheus.CounterValue, float64(c.worker.Gate.Passes()))
}

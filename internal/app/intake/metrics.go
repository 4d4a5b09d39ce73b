package intake

import (
	"time"

	"zflow/sources"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
)

// numbers are the metrics of ingest. What the parts count themselves is read
// when somebody asks.
type numbers struct {
	registry *prometheus.Registry
	seconds  prometheus.Histogram
	notFound prometheus.Counter
	purged   prometheus.Counter
	bytes    prometheus.Gauge
	maxBytes prometheus.Gauge
}

func newNumbers(in *Intake) *numbers {
	n := &numbers{
		registry: prometheus.NewRegistry(),
		seconds: prometheus.NewHistogram(prometheus.HistogramOpts{Name: "zflow_webhook_seconds", Help: "Time to answer a webhook.",
			Buckets: []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5}}),
		notFound: prometheus.NewCounter(prometheus.CounterOpts{Name: "zflow_ingest_not_found_total", Help: "Requests for no path of ingest."}),
		purged:   prometheus.NewCounter(prometheus.CounterOpts{Name: "zflow_events_purged_total", Help: "Finished events purged to make room."}),
		bytes:    prometheus.NewGauge(prometheus.GaugeOpts{Name: "zflow_events_bytes", Help: "Size of the stream of events."}),
		maxBytes: prometheus.NewGauge(prometheus.GaugeOpts{Name: "zflow_events_max_bytes", Help: "Limit of the stream of events."}),
	}
	n.registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
		n.seconds, n.notFound, n.purged, n.bytes, n.maxBytes, newWebhookCollector(in))
	return n
}

func (n *numbers) space(s sources.Space) {
	n.bytes.Set(float64(s.Bytes))
	n.maxBytes.Set(float64(s.MaxBytes))
	n.purged.Add(float64(s.Purged))
}

// webhookCollector turns the handler's counters into metrics.
type webhookCollector struct {
	in                             *Intake
	total, last, validated, linked *prometheus.Desc
	passes, flushes                *prometheus.Desc
	requests, waiting, mails       *prometheus.Desc
}

func newWebhookCollector(in *Intake) *webhookCollector {
	desc := prometheus.NewDesc
	return &webhookCollector{
		in:        in,
		total:     desc("zflow_webhooks_total", "Webhooks by app and what became of them.", []string{"app", "outcome"}, nil),
		last:      desc("zflow_webhook_last_timestamp_seconds", "When the last event was accepted.", []string{"app"}, nil),
		validated: desc("zflow_webhook_validated_timestamp_seconds", "When Zoom last validated the URL.", []string{"app"}, nil),
		linked:    desc("zflow_nats_connected", "1 while NATS is connected.", nil, nil),
		passes:    desc("zflow_gate_passes_total", "Waits at the Gate.", nil, nil),
		requests:  desc("zflow_http_requests_total", "Requests to HTTP triggers by workflow and what became of them.", []string{"workflow", "outcome"}, nil),
		mails:     desc("zflow_mails_total", "Mails, recipients and connections by what became of them.", []string{"outcome"}, nil),
		waiting:   desc("zflow_http_waiting", "Requests that wait for their runs.", nil, nil),
		flushes:   desc("zflow_gate_flushes_total", "Flushes that the waits shared.", nil, nil),
	}
}

// Describe implements prometheus.Collector.
func (c *webhookCollector) Describe(to chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{c.total, c.last, c.validated, c.linked, c.passes, c.flushes, c.requests, c.waiting, c.mails} {
		to <- d
	}
}

// Collect implements prometheus.Collector.
func (c *webhookCollector) Collect(to chan<- prometheus.Metric) {
	for _, s := range c.in.Stats() {
		for outcome, n := range s.Counts {
			to <- prometheus.MustNewConstMetric(c.total, prometheus.CounterValue, float64(n), s.App, string(outcome))
		}
		instantMetric(to, c.last, s.Last, s.App)
		instantMetric(to, c.validated, s.Validated, s.App)
	}
	counts, waiting := c.in.web.handler.Stats()
	for _, n := range counts {
		to <- prometheus.MustNewConstMetric(c.requests, prometheus.CounterValue, float64(n.N), n.Workflow, string(n.Outcome))
	}
	to <- prometheus.MustNewConstMetric(c.waiting, prometheus.GaugeValue, float64(waiting))
	if c.in.mail != nil {
		for outcome, n := range c.in.mail.Stats() {
			to <- prometheus.MustNewConstMetric(c.mails, prometheus.CounterValue, float64(n), string(outcome))
		}
	}
	connected := 0.0
	if c.in.nc != nil && c.in.nc.IsConnected() {
		connected = 1
	}
	to <- prometheus.MustNewConstMetric(c.linked, prometheus.GaugeValue, connected)
	if s := c.in.store.Load(); s != nil {
		to <- prometheus.MustNewConstMetric(c.passes, prometheus.CounterValue, float64(s.gate.Passes()))
		to <- prometheus.MustNewConstMetric(c.flushes, prometheus.CounterValue, float64(s.gate.Flushes()))
	}
}

// instantMetric leaves out what never was.
func instantMetric(to chan<- prometheus.Metric, d *prometheus.Desc, at time.Time, app string) {
	if !at.IsZero() {
		to <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, float64(at.UnixNano())/1e9, app)
	}
}

package feeds

import "github.com/prometheus/client_golang/prometheus"

var (
	socketOpen = prometheus.NewDesc("zflow_websocket_open", "1 while this worker's WebSocket to Zoom is open.", []string{"app"}, nil)
	socketSaid = prometheus.NewDesc("zflow_websocket_events_total", "Frames of Zoom's WebSocket by what became of them.", []string{"app", "outcome"}, nil)
	socketLast = prometheus.NewDesc("zflow_websocket_last_timestamp_seconds", "When the last event came over the WebSocket.", []string{"app"}, nil)
	compared   = prometheus.NewDesc("zflow_reconciled_timestamp_seconds", "When this worker last compared the app's events with Zoom's, completely.", []string{"app"}, nil)
	injected   = prometheus.NewDesc("zflow_reconcile_injected_total", "Events that were missing and put in.", []string{"app"}, nil)
	failures   = prometheus.NewDesc("zflow_reconcile_failures_total", "Comparisons that were not complete.", []string{"app"}, nil)
)

// Describe implements prometheus.Collector.
func (f *Feeds) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{socketOpen, socketSaid, socketLast, compared, injected, failures} {
		ch <- d
	}
}

// Collect implements prometheus.Collector.
func (f *Feeds) Collect(ch chan<- prometheus.Metric) {
	gauge := func(d *prometheus.Desc, v float64, app string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, app)
	}
	for _, s := range f.Sockets() {
		open := 0.0
		if s.Open {
			open = 1
		}
		gauge(socketOpen, open, s.App)
		if !s.Last.IsZero() {
			gauge(socketLast, float64(s.Last.UnixMilli())/1e3, s.App)
		}
		for outcome, n := range s.Counts {
			ch <- prometheus.MustNewConstMetric(socketSaid, prometheus.CounterValue, float64(n), s.App, string(outcome))
		}
	}
	for app, c := range f.Compared() {
		if !c.At.IsZero() {
			gauge(compared, float64(c.At.UnixMilli())/1e3, app)
		}
		ch <- prometheus.MustNewConstMetric(injected, prometheus.CounterValue, float64(c.Injected), app)
		ch <- prometheus.MustNewConstMetric(failures, prometheus.CounterValue, float64(c.Failed), app)
	}
}

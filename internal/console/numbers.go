package console

import (
	"strconv"

	"github.com/prometheus/client_golang/prometheus"
)

// numbers are what a console counts.
type numbers struct {
	registry *prometheus.Registry
	requests *prometheus.CounterVec // by route and status
	refused  *prometheus.CounterVec // attempts without a token that may, by why
	streams  *prometheus.GaugeVec   // open, by stream
	sent     *prometheus.CounterVec // messages, by stream
	ended    *prometheus.CounterVec // streams, by stream and why
}

func newNumbers() *numbers {
	n := &numbers{
		registry: prometheus.NewRegistry(),
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "zflow_console_requests_total", Help: "Requests that were answered, by route and status."}, []string{"route", "status"}),
		refused:  prometheus.NewCounterVec(prometheus.CounterOpts{Name: "zflow_console_refused_total", Help: "Attempts without a token that may: missing, wrong, expired, scope, often."}, []string{"why"}),
		streams:  prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: "zflow_console_streams", Help: "Live streams that are open."}, []string{"stream"}),
		sent:     prometheus.NewCounterVec(prometheus.CounterOpts{Name: "zflow_console_sent_total", Help: "Messages that were sent on live streams."}, []string{"stream"}),
		ended:    prometheus.NewCounterVec(prometheus.CounterOpts{Name: "zflow_console_streams_ended_total", Help: "Live streams that ended: client, slow, token, reset, stop."}, []string{"stream", "why"}),
	}
	n.registry.MustRegister(n.requests, n.refused, n.streams, n.sent, n.ended)
	return n
}

func (n *numbers) answered(route string, status int) {
	n.requests.WithLabelValues(route, strconv.Itoa(status)).Inc()
}

package accounts

import "github.com/prometheus/client_golang/prometheus"

var (
	states   = prometheus.NewDesc("zflow_connections", "Connections by kind and state.", []string{"kind", "state"}, nil)
	renewals = prometheus.NewDesc("zflow_connection_renewals_total", "Grants that this worker renewed ahead of their end, by what became of that.", []string{"outcome"}, nil)
)

// Describe implements prometheus.Collector.
func (a *Accounts) Describe(ch chan<- *prometheus.Desc) {
	ch <- states
	ch <- renewals
}

// Collect implements prometheus.Collector.
func (a *Accounts) Collect(ch chan<- prometheus.Metric) {
	counts := map[[2]string]int{}
	for _, r := range a.All() {
		counts[[2]string{r.Kind, r.State}]++
	}
	for of, n := range counts {
		ch <- prometheus.MustNewConstMetric(states, prometheus.GaugeValue, float64(n), of[0], of[1])
	}
	done := a.kept.Counts()
	ch <- prometheus.MustNewConstMetric(renewals, prometheus.CounterValue, float64(done.Renewed), "renewed")
	ch <- prometheus.MustNewConstMetric(renewals, prometheus.CounterValue, float64(done.Failed), "failed")
}

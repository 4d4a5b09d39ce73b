package mailboxes

import "github.com/prometheus/client_golang/prometheus"

var (
	looked = prometheus.NewDesc("zflow_mailbox_looked_timestamp_seconds", "When this worker last read the mailbox. It reads it while the metric is there.", []string{"mailbox"}, nil)
	fails  = prometheus.NewDesc("zflow_mailbox_failing", "1 while the mailbox cannot be read.", []string{"mailbox"}, nil)
	mails  = prometheus.NewDesc("zflow_mailbox_mails_total", "Mails of the mailbox by what became of them.", []string{"mailbox", "outcome"}, nil)
)

// Describe implements prometheus.Collector.
func (m *Mailboxes) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{looked, fails, mails} {
		ch <- d
	}
}

// Collect implements prometheus.Collector.
func (m *Mailboxes) Collect(ch chan<- prometheus.Metric) {
	for _, s := range m.Stats() {
		failing := 0.0
		if s.Problem != "" {
			failing = 1
		}
		ch <- prometheus.MustNewConstMetric(fails, prometheus.GaugeValue, failing, s.Mailbox)
		if !s.Looked.IsZero() {
			ch <- prometheus.MustNewConstMetric(looked, prometheus.GaugeValue, float64(s.Looked.UnixMilli())/1e3, s.Mailbox)
		}
		for outcome, n := range s.Counts {
			ch <- prometheus.MustNewConstMetric(mails, prometheus.CounterValue, float64(n), s.Mailbox, string(outcome))
		}
	}
}

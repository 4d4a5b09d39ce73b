package bench

import (
	"time"

	"zflow/internal/bench/load"
)

// Report is what was measured.
type Report struct {
	CPUs      int        `json:"cpus"`
	System    string     `json:"system"`
	Go        string     `json:"go"`
	Idle      *Memory    `json:"idle"`
	Disk      []Disk     `json:"disk"`
	Publishes []Publish  `json:"publishes"`
	Runs      []Measure  `json:"runs"`                // so many at a time
	Webhooks  []Measure  `json:"webhooks"`            // as fast as they are taken
	Paced     []Measure  `json:"paced"`               // at a rate
	Scenarios []Scenario `json:"scenarios,omitempty"` // but for that of the figures above
	Aims      []Aim      `json:"aims"`
}

// Memory is what zflow takes before it has anything to do, in bytes.
type Memory struct {
	RSS int64 `json:"rss"`
	PSS int64 `json:"pss"` // shared pages by their share
}

// Disk is what one caller gets who writes and flushes, measured just before the
// runs of a concurrency.
type Disk struct {
	Concurrent int         `json:"concurrent"`
	PerSecond  float64     `json:"per_s"`
	Flush      load.Spread `json:"flush"`
}

// Publish is what a stream takes.
type Publish struct {
	System       string  `json:"system"`
	Callers      int     `json:"callers"`
	Acknowledged float64 `json:"acknowledged_per_s"`
	Durable      float64 `json:"durable_per_s"`
	Flushes      float64 `json:"flushes_each"`
}

// Measure is a load on a system, and what it cost for each run.
type Measure struct {
	System     string  `json:"system"`
	Concurrent int     `json:"concurrent,omitempty"`
	Rate       float64 `json:"rate,omitempty"`
	*load.Outcome
	OfNull  float64 `json:"of_null,omitempty"`   // completed a second, as a share of the null pipeline's
	CPU     float64 `json:"cpu_ms_per_run"`      // of the system's process
	Written float64 `json:"written_per_run"`     // bytes that it had written to disk
	Stored  float64 `json:"stored_per_run"`      // bytes by which its files grew
	Appends float64 `json:"appends_per_run"`     // to RUNS
	Flushes float64 `json:"flushes_per_run"`     // flush requests; with always, messages stored
	Memory  int64   `json:"rss_after,omitempty"` // bytes
}

// cost shares what was used among the runs.
func (m *Measure) cost(before, after counts) {
	n := float64(max(m.Complete, 1))
	m.CPU = float64(after.CPU-before.CPU) / float64(time.Millisecond) / n
	m.Written, m.Stored = float64(after.Written-before.Written)/n, float64(after.stored-before.stored)/n
	m.Appends, m.Flushes = float64(after.appends-before.appends)/n, float64(after.flushes-before.flushes)/n
	m.Memory = after.RSS
}

// find returns the measure of a system at a concurrency, or nil.
func find(all []Measure, system string, concurrent int) *Measure {
	for i := range all {
		if all[i].System == system && all[i].Concurrent == concurrent {
			return &all[i]
		}
	}
	return nil
}

// Sound says whether every load on zflow was: then the speeds mean something. The
// null pipeline may lose a run, as it forgets one at the first error.
func (r *Report) Sound() bool {
	for _, all := range [][]Measure{r.Runs, r.Webhooks, r.Paced} {
		for _, m := range all {
			if m.System != Null && !m.Sound() {
				return false
			}
		}
	}
	return true
}

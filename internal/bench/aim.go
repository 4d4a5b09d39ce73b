package bench

import "fmt"

// aimed is the concurrency that most aims are about.
const aimed = 64

// Aim is a figure that zflow is to reach.
type Aim struct {
	What   string `json:"what"`
	Wanted string `json:"wanted"`
	Got    string `json:"got"`
	Met    bool   `json:"met"`
}

// judge compares with the aims what was measured; an aim whose figures are not
// there is left out.
func (r *Report) judge() {
	r.compare(r.Runs)
	r.compare(r.Webhooks)
	null, group, always := find(r.Runs, Null, aimed), find(r.Runs, Group, aimed), find(r.Runs, Always, aimed)
	if null != nil && group != nil {
		r.aim("runs at 64, of the null pipeline's", "≥ 50 %", fmt.Sprintf("%.0f %%", 100*group.OfNull), group.OfNull >= .5)
	}
	if group != nil {
		r.aim("flushes per run at 64", "< 0.5", fmt.Sprintf("%.2f", group.Flushes), group.Flushes < .5)
	}
	if group != nil && always != nil && always.CompletePer > 0 {
		times := group.CompletePer / always.CompletePer
		r.aim("runs at 64, group to always", "≥ 2", fmt.Sprintf("%.1f", times), times >= 2)
	}
	r.judgeLone()
	if r.Idle != nil {
		const mib = 1 << 20
		r.aim("idle memory (RSS)", "< 60 MiB", fmt.Sprintf("%.0f MiB", float64(r.Idle.RSS)/mib), r.Idle.RSS < 60*mib)
	}
	for _, m := range r.Paced {
		if m.System == Group {
			r.aim(fmt.Sprintf("a webhook's answer at %g/s, p99", m.Rate), "< 25 ms", fmt.Sprintf("%.1f ms", m.Ack.P99), m.Ack.P99 < 25)
		}
	}
}

// judgeLone: three calls are what the null pipeline takes for them.
func (r *Report) judgeLone() {
	null, group := find(r.Runs, Null, 1), find(r.Runs, Group, 1)
	if null == nil || group == nil {
		return
	}
	for _, d := range r.Disk {
		if d.Concurrent == 1 {
			limit := (null.EndToEnd.P50 + 6*d.Flush.P50) * 1.5
			r.aim("a lone run, p50: (3 calls + 6 flushes) × 1.5", fmt.Sprintf("≤ %.2f ms", limit),
				fmt.Sprintf("%.2f ms", group.EndToEnd.P50), group.EndToEnd.P50 <= limit)
		}
	}
}

func (r *Report) aim(what, wanted, got string, met bool) {
	r.Aims = append(r.Aims, Aim{What: what, Wanted: wanted, Got: got, Met: met})
}

// Met says whether all aims were.
func (r *Report) Met() bool {
	for _, a := range r.Aims {
		if !a.Met {
			return false
		}
	}
	return true
}

func (r *Report) compare(all []Measure) {
	for i := range all {
		if null := find(all, Null, all[i].Concurrent); null != nil && null.CompletePer > 0 {
			all[i].OfNull = all[i].CompletePer / null.CompletePer
		}
	}
}

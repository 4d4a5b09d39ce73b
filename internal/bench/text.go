package bench

import (
	"bytes"
	"fmt"
	"io"
)

// Print writes the report for people.
func (r *Report) Print(w io.Writer) error {
	var b bytes.Buffer
	parts := []func(io.Writer){r.printMachine}
	if len(r.Runs) > 0 {
		parts = append(parts, r.printRuns, r.printWebhooks, r.printPaced, r.printCeilings)
	}
	for _, part := range append(parts, r.printScenarios, r.printAims) {
		part(&b)
	}
	if _, err := b.WriteTo(w); err != nil {
		return fmt.Errorf("printing the report: %w", err)
	}
	return nil
}

func (r *Report) printMachine(w io.Writer) {
	fmt.Fprintf(w, "%s, %d CPUs, %s; zflow, the load and the API share them\n", r.System, r.CPUs, r.Go)
	if r.Idle != nil {
		fmt.Fprintf(w, "zflow with nothing to do: RSS %.1f MiB, PSS %.1f MiB\n", mib(r.Idle.RSS), mib(r.Idle.PSS))
	}
	if !r.Sound() {
		fmt.Fprintln(w, "NOT SOUND: webhooks were refused, or runs lost, repeated or out of order; see below")
	}
}

func mib(n int64) float64 { return float64(n) / (1 << 20) }

// costsHead and costs are the last columns: what a run costs.
const costsHead = "  CPU ms  written B  stored B  appends  flushes"

func (m *Measure) costs() string {
	return fmt.Sprintf("  %6.2f  %9.0f  %8.0f  %7.2f  %7.2f", m.CPU, m.Written, m.Stored, m.Appends, m.Flushes)
}

// faults is empty for a sound load.
func (m *Measure) faults() string {
	if m.Sound() {
		return ""
	}
	return fmt.Sprintf("  refused %v, lost %d, repeated %d, out of order %d, unasked %d", m.Refused, m.Lost, m.Repeated, m.OutOfOrder, m.Unasked)
}

func (r *Report) printRuns(w io.Writer) {
	fmt.Fprint(w, "\nRuns of three HTTP calls, so many at a time, from the webhook to the third call; costs per run\n")
	fmt.Fprintln(w, "at a time             runs/s  ÷ null   p50 ms   p99 ms"+costsHead)
	for i := range r.Runs {
		m := &r.Runs[i]
		fmt.Fprintf(w, "%9d  %-9s %7.0f  %6.2f  %7.2f  %7.2f%s%s\n", m.Concurrent, m.System, m.CompletePer, m.OfNull,
			m.EndToEnd.P50, m.EndToEnd.P99, m.costs(), m.faults())
	}
}

func (r *Report) printWebhooks(w io.Writer) {
	fmt.Fprintf(w, "\nWebhooks as fast as %d senders get their answers, who do not wait for the runs\n", aimed)
	fmt.Fprintln(w, "           accepted/s   p50 ms   p99 ms   runs/s  ÷ null"+costsHead)
	for i := range r.Webhooks {
		m := &r.Webhooks[i]
		fmt.Fprintf(w, "%-9s  %10.0f  %7.2f  %7.2f  %7.0f  %6.2f%s%s\n", m.System, m.AcceptedPer, m.Ack.P50, m.Ack.P99,
			m.CompletePer, m.OfNull, m.costs(), m.faults())
	}
}

func (r *Report) printPaced(w io.Writer) {
	fmt.Fprint(w, "\nWebhooks at a rate: when they are answered, and when the third call comes\n")
	fmt.Fprintln(w, "a second            p50 ms   p99 ms   max ms  third: p50 ms   p99 ms"+costsHead)
	for i := range r.Paced {
		m := &r.Paced[i]
		fmt.Fprintf(w, "%8g  %-7s  %7.2f  %7.2f  %7.2f  %13.2f  %7.2f%s%s\n", m.Rate, m.System, m.Ack.P50, m.Ack.P99, m.Ack.Max,
			m.EndToEnd.P50, m.EndToEnd.P99, m.costs(), m.faults())
	}
}

// printCeilings shows what no run can be faster than: as runs, by the messages
// that one takes at the aims' concurrency.
func (r *Report) printCeilings(w io.Writer) {
	fmt.Fprint(w, "\nCeilings                                  a second  as runs/s\n")
	line := func(what, system string, rate float64, runs, more string) {
		fmt.Fprintf(w, "%-32s  %-6s  %8.0f  %9s  %s\n", what, system, rate, runs, more)
	}
	for _, d := range r.Disk {
		if d.Concurrent == aimed || len(r.Disk) == 1 {
			line("write + fdatasync, one caller", "", d.PerSecond, r.asRuns(Always, d.PerSecond, func(m *Measure) float64 { return m.Flushes }),
				fmt.Sprintf("with always; p50 %.2f ms, p99 %.2f ms", d.Flush.P50, d.Flush.P99))
		}
	}
	messages := func(m *Measure) float64 { return m.Appends + 1 } // and the event
	for _, p := range r.Publishes {
		line("publish, acknowledged, 64 callers", p.System, p.Acknowledged, r.asRuns(p.System, p.Acknowledged, messages), "")
		line("publish, durable, 64 callers", p.System, p.Durable, r.asRuns(p.System, p.Durable, messages), fmt.Sprintf("%.3f flush requests each", p.Flushes))
	}
}

// asRuns turns a rate into runs, of which each takes so many; a system that was
// not measured has none.
func (r *Report) asRuns(system string, rate float64, each func(*Measure) float64) string {
	m := find(r.Runs, system, aimed)
	if m == nil || each(m) <= 0 {
		return "–"
	}
	return fmt.Sprintf("%.0f", rate/each(m))
}

func (r *Report) printScenarios(w io.Writer) {
	for _, s := range r.Scenarios {
		fmt.Fprintf(w, "\n%s: %s (%.0f s)\n", s.Name, s.About, s.Seconds)
		for _, f := range s.Figures {
			fmt.Fprintf(w, "  %-58s  %10.5g %s\n", f.What, f.Value, f.Unit)
		}
	}
}

func (r *Report) printAims(w io.Writer) {
	fmt.Fprintf(w, "\n%-46s  %10s  %10s\n", "Aims", "wanted", "got")
	for _, a := range r.Aims {
		verdict := "met"
		if !a.Met {
			verdict = "MISSED"
		}
		fmt.Fprintf(w, "%-46s  %10s  %10s  %s\n", a.What, a.Wanted, a.Got, verdict)
	}
}

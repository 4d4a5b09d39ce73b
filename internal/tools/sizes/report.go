package main

import (
	"fmt"
	"io"
	"slices"
	"text/tabwriter"
)

// report prints the figures beside their targets.
func report(w io.Writer, p *project, verbose bool) {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	row := func(thing, found, target, most string) {
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\n", thing, found, target, most)
	}
	row("thing", "found", "target", "cap")
	row("function lines, median", fmt.Sprint(quantile(p.funcs, .5)), fmt.Sprint("≤ ", targetMed), "")
	row("function lines, p95", fmt.Sprint(quantile(p.funcs, .95)), fmt.Sprint("≤ ", targetP95), "")
	row("function lines, most", fmt.Sprint(quantile(p.funcs, 1)), "", fmt.Sprint(capFunc))
	row("nesting, p95 and most", pair(p.nesting), "≤ 2", fmt.Sprint(capNesting))
	row("parameters, p95 and most", pair(p.params), fmt.Sprint("≤ ", targetParam), fmt.Sprint(capParams))
	row("file lines, median and most", fmt.Sprint(quantile(p.files, .5), " ", quantile(p.files, 1)), "40–250", fmt.Sprint(capFile))
	row("interface methods, p95 and most", pair(p.methods), "≤ 3", fmt.Sprint(capMethods))
	row("struct fields, p95 and most", pair(p.fields), "≤ 10", fmt.Sprint(capFields))
	row("exported names with comment", fmt.Sprintf("%d of %d", p.exported-len(p.bare), p.exported), "all", "")
	row("panics outside tests", fmt.Sprint(len(p.panics)), "0", fmt.Sprint(capPanics))
	all := p.sum()
	row("largest package, lines", fmt.Sprint(p.largest()), "≤ 1500", fmt.Sprint(capPackage))
	row("comment share", fmt.Sprintf("%.2f", ratio(all.comments, all.code+all.comments)), "0.10–0.25", "")
	row("test ÷ code", fmt.Sprintf("%.2f", ratio(all.tests, all.code)), fmt.Sprint("≥ ", minTests), "")
	t.Flush()
	if verbose {
		packages(w, p)
	}
}

func pair(fs []figure) string { return fmt.Sprint(quantile(fs, .95), " ", quantile(fs, 1)) }

func ratio(a, b int) float64 { return float64(a) / float64(max(b, 1)) }

func (p *project) sum() (all pack) {
	for _, k := range p.packages {
		all.code += k.code
		all.comments += k.comments
		all.tests += k.tests
	}
	return all
}

func (p *project) largest() (most int) {
	for _, k := range p.packages {
		most = max(most, k.code)
	}
	return most
}

// packages prints each package's lines, and each exported name without comment.
func packages(w io.Writer, p *project) {
	names := make([]string, 0, len(p.packages))
	for name := range p.packages {
		names = append(names, name)
	}
	slices.Sort(names)
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintf(t, "\npackage\tcode\ttests\ttest ÷ code\n")
	for _, name := range names {
		k := p.packages[name]
		fmt.Fprintf(t, "%s\t%d\t%d\t%.2f\n", name, k.code, k.tests, ratio(k.tests, k.code))
	}
	t.Flush()
	for _, b := range p.bare {
		fmt.Fprintf(w, "%s: %s has no comment\n", b.where, b.what)
	}
}

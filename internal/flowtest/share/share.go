// Package share runs the tests of many files at once: a process has one virtual
// time, so each share of the files runs in a process of its own. A share tells of
// each test as it ends and of its report at last, one JSON line each.
package share

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"time"

	"zflow/engine/definition/document"
	"zflow/internal/flowtest"
)

// line is what a share tells.
type line struct {
	Result *flowtest.Result   `json:"result,omitempty"`
	Report *flowtest.Report   `json:"report,omitempty"`
	Never  []flowtest.Counted `json:"never,omitempty"` // of the report's coverage, in its order
	None   bool               `json:"none,omitempty"`  // of the files' tests, none was to run
}

// Tell runs the tests of a share and tells of them on w.
func Tell(ctx context.Context, w io.Writer, r *flowtest.Runner, files []string, o flowtest.Options) (*flowtest.Report, error) {
	out := json.NewEncoder(w)
	var lost error
	o.Each = func(r flowtest.Result) {
		if err := out.Encode(line{Result: &r}); err != nil {
			lost = err
		}
	}
	report, err := r.Test(ctx, files, o)
	l := line{Report: report, None: errors.Is(err, flowtest.ErrNone)}
	if err != nil && !l.None {
		return nil, err
	}
	if report != nil {
		for _, c := range report.Coverage {
			l.Never = append(l.Never, c.NeverIn)
		}
	}
	if err := out.Encode(l); err != nil {
		lost = err
	}
	return report, lost
}

// Runner runs shares.
type Runner struct {
	Jobs    int                           // shares at a time
	Command func(files []string) []string // the arguments with which this program runs a share
	Each    func(flowtest.Result)         // after each test, one at a time; may be nil
	Err     io.Writer                     // for what a share has to say besides

	mu sync.Mutex
}

// stopWithin is how long a share may take to end after it was told to.
const stopWithin = 5 * time.Second

// Test runs the shares and makes one report of theirs, in their order. Files that
// test one workflow belong in one share. The first error ends all.
func (r *Runner) Test(ctx context.Context, shares [][]string) (*flowtest.Report, error) {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	reports := make([]*flowtest.Report, len(shares))
	next := make(chan int, len(shares))
	for i := range shares {
		next <- i
	}
	close(next)
	var jobs sync.WaitGroup
	for range r.Jobs {
		jobs.Go(func() {
			for i := range next {
				if ctx.Err() != nil {
					return
				}
				var err error
				if reports[i], err = r.share(ctx, shares[i]); err != nil {
					stop(fmt.Errorf("running the tests of %s: %w", strings.Join(shares[i], ", "), err))
					return
				}
			}
		})
	}
	jobs.Wait()
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	return merged(reports)
}

// merged makes one report of several.
func merged(reports []*flowtest.Report) (*flowtest.Report, error) {
	all := &flowtest.Report{Tests: []flowtest.Result{}, Coverage: []flowtest.Coverage{}, Problems: document.Problems{}, Mistakes: []flowtest.Mistake{}, Passed: true}
	for _, r := range reports {
		if r == nil { // none of its tests was to run
			continue
		}
		all.Tests = append(all.Tests, r.Tests...)
		all.Coverage = append(all.Coverage, r.Coverage...)
		for _, m := range r.Mistakes {
			all.Mistakes = append(all.Mistakes, m)
			all.Problems = append(all.Problems, document.Problem(m))
		}
		all.Passed = all.Passed && r.Passed
	}
	if len(all.Tests) == 0 && all.Passed {
		return nil, flowtest.ErrNone
	}
	return all, nil
}

// process is one of this program, not begun, that the end of ctx interrupts.
func process(ctx context.Context, args []string) (*exec.Cmd, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("finding this program: %w", err)
	}
	c := exec.CommandContext(ctx, self, args...)
	c.Cancel = func() error { return c.Process.Signal(os.Interrupt) }
	c.WaitDelay = stopWithin
	return c, nil
}

// share runs one share in a process of this program.
func (r *Runner) share(ctx context.Context, files []string) (*flowtest.Report, error) {
	c, err := process(ctx, r.Command(files))
	if err != nil {
		return nil, err
	}
	said := &strings.Builder{}
	c.Stderr = said
	out, err := c.StdoutPipe()
	if err != nil {
		return nil, fmt.Errorf("reading what it tells: %w", err)
	}
	if err := c.Start(); err != nil {
		return nil, fmt.Errorf("starting it: %w", err)
	}
	report, none, err := r.listen(out)
	ended := c.Wait()
	switch {
	case ctx.Err() != nil:
		return nil, context.Cause(ctx)
	case report != nil || none:
		_, err := io.WriteString(r.Err, said.String())
		return report, err
	case err == nil:
		err = ended
	}
	return nil, fmt.Errorf("its process broke off: %w\n%s", err, strings.TrimSpace(said.String()))
}

// listen passes on what a share tells until it ends.
func (r *Runner) listen(out io.Reader) (report *flowtest.Report, none bool, err error) {
	lines := json.NewDecoder(bufio.NewReader(out))
	for {
		var l line
		if err := lines.Decode(&l); err != nil {
			if errors.Is(err, io.EOF) {
				err = nil
			}
			return report, none, err
		}
		none = none || l.None
		if l.Report != nil {
			report = l.Report
			for i, n := range l.Never {
				report.Coverage[i].NeverIn = n
			}
		}
		if l.Result != nil && r.Each != nil {
			r.mu.Lock()
			r.Each(*l.Result)
			r.mu.Unlock()
		}
	}
}

// Package command is `zflow test` and `zflow verify`: flags, and what is printed.
package command

import (
	"fmt"
	"os"
	"regexp"
	"runtime"

	"zflow/internal/app"
	"zflow/internal/flowtest"
	"zflow/internal/flowtest/share"
	"zflow/internal/terminal"

	"github.com/spf13/cobra"
)

// tester is the terminal, and what these commands print on it.
type tester struct {
	*terminal.Shell
	said error
}

// testFlags are those of test.
type testFlags struct {
	junit, run string
	update     bool
	jobs       int
	share      bool // this process runs a share of another's tests, and tells it of them
}

// Test returns the command test; said is the error of one whose output has told why
// it failed.
func Test(sh *terminal.Shell, said error) *cobra.Command {
	t := &tester{sh, said}
	var f testFlags
	c := sh.PrintsData(&cobra.Command{
		Use:   "test [DIR|FILE…]",
		Short: "Run the tests of workflows, in virtual time",
		Long: `Run the tests of workflows: files like welcome_test.yaml beside the workflow. A folder
stands for those in it and below it; without one it is this folder.

Each test runs on the real engine and a NATS server of its own, in virtual time: days
pass at once. Actions answer what the test says; nothing calls out. Exits 1 if a test
fails.`,
		Example: "  zflow test\n  zflow test workflows/welcome_test.yaml --run 'two refusals'\n  zflow test --junit report.xml",
		RunE: func(c *cobra.Command, args []string) error {
			return t.test(c, args, f)
		},
	})
	c.Flags().StringVar(&f.junit, "junit", "", "write a report for CI to this `file` too")
	c.Flags().StringVar(&f.run, "run", "", "only tests whose name this regular `expression` matches")
	c.Flags().IntVarP(&f.jobs, "jobs", "j", runtime.GOMAXPROCS(0), "how many workflows are tested at once, `number` of processes")
	c.Flags().BoolVar(&f.share, "share", false, "")
	_ = c.Flags().MarkHidden("share") // it is there
	c.Flags().BoolVar(&f.update, "update", false, "write expected outputs anew where they are not as expected")
	return c
}

func (sh *tester) test(c *cobra.Command, args []string, f testFlags) error {
	if f.jobs < 1 {
		return terminal.Misused("--jobs is at least 1")
	}
	if len(args) == 0 {
		args = []string{"."}
	}
	files, err := flowtest.Files(args...)
	if err != nil {
		return err
	}
	runner, err := newRunner()
	if err != nil {
		return err
	}
	defer func() { _ = runner.Code.Close() }() // what it leaves is a folder without anything in it
	o := flowtest.Options{Each: func(r flowtest.Result) {
		if !sh.JSON() {
			_ = sh.Print("%s", r.Text()) // the summary says whether it can be written
		}
	}}
	if o.Match, err = named(f.run); err != nil {
		return err
	}
	if f.share {
		return sh.tell(c, runner, files, o, f)
	}
	report, err := sh.report(c, runner, files, o, f)
	if err != nil {
		return err
	}
	if f.junit != "" {
		if err := writeJUnit(f.junit, report); err != nil {
			return err
		}
	}
	return sh.printTests(report)
}

// named reads the flag run; nil: all tests.
func named(run string) (*regexp.Regexp, error) {
	if run == "" {
		return nil, nil
	}
	match, err := regexp.Compile(run)
	if err != nil {
		return nil, terminal.Misused("--run: %v", err)
	}
	return match, nil
}

// report runs the tests of files, of several workflows at once.
func (sh *tester) report(c *cobra.Command, runner *flowtest.Runner, files []string, o flowtest.Options, f testFlags) (*flowtest.Report, error) {
	shares := byWorkflow(runner, files)
	if f.jobs > 1 && len(shares) > 1 {
		s := share.Runner{Jobs: f.jobs, Each: o.Each, Err: sh.Err, Command: f.ofShare}
		return s.Test(c.Context(), shares)
	}
	report, err := runner.Test(c.Context(), files, o)
	if err == nil && f.update {
		err = sh.update(report)
	}
	return report, err
}

// ofShare are the arguments with which a process runs a share.
func (f testFlags) ofShare(files []string) []string {
	args := []string{"test", "--share", "--run", f.run}
	if f.update {
		args = append(args, "--update")
	}
	return append(append(args, "--"), files...)
}

// tell runs a share.
func (sh *tester) tell(c *cobra.Command, runner *flowtest.Runner, files []string, o flowtest.Options, f testFlags) error {
	report, err := share.Tell(c.Context(), sh.Out, runner, files, o)
	if err == nil && report != nil && f.update {
		err = sh.update(report)
	}
	return err
}

// byWorkflow puts the files that test one workflow together, so that what they
// reach of it is counted together. One that cannot be read stands alone.
func byWorkflow(runner *flowtest.Runner, files []string) (shares [][]string) {
	of := map[string]int{}
	for _, file := range files {
		name := file
		if s, _, err := flowtest.Load(file, runner.Known); err == nil && s != nil {
			name = s.Flow.Name
		}
		i, there := of[name]
		if !there {
			i = len(shares)
			of[name] = i
			shares = append(shares, nil)
		}
		shares[i] = append(shares[i], file)
	}
	return shares
}

func newRunner() (*flowtest.Runner, error) {
	registry, err := app.Actions(app.ActionsConfig{})
	if err != nil {
		return nil, err
	}
	return &flowtest.Runner{Known: app.Known(registry, nil), Code: app.NewTestCode()}, nil
}

func writeJUnit(file string, report *flowtest.Report) error {
	out, err := report.JUnit()
	if err == nil {
		err = os.WriteFile(file, out, 0o644)
	}
	if err != nil {
		return fmt.Errorf("writing the report: %w", err)
	}
	return nil
}

func (sh *tester) update(report *flowtest.Report) error {
	changed, err := report.Update()
	for _, file := range changed {
		_, _ = fmt.Fprintf(sh.Err, "zflow: %s: expected outputs written\n", file) // where nobody reads it, there is no one to tell
	}
	return err
}

func (sh *tester) printTests(report *flowtest.Report) error {
	if sh.JSON() {
		if err := sh.PrintJSON(report); err != nil {
			return err
		}
	} else if err := sh.printReport(report); err != nil {
		return err
	}
	if !report.Passed {
		return sh.said
	}
	return nil
}

func (sh *tester) printReport(report *flowtest.Report) error {
	text := ""
	for _, p := range report.Problems {
		text += p.String() + "\n"
	}
	for i, c := range report.Coverage {
		if i == 0 {
			text += "\nreached:\n"
		}
		text += "  " + c.Text() + "\n"
	}
	return sh.Print("%s\n%s\n", text, report.Summary())
}

package command

import (
	"fmt"
	"os"
	"regexp"
	"strings"

	"zflow/internal/flowtest"
	"zflow/internal/terminal"

	"github.com/spf13/cobra"
)

// Verify returns the command verify.
func Verify(sh *terminal.Shell, said error) *cobra.Command {
	t := &tester{sh, said}
	var run string
	c := sh.PrintsData(&cobra.Command{
		Use:   "verify FILE",
		Short: "Run a workflow's tests with a crash at every point where one can be",
		Long: `Run the tests of a workflow again and again, each time with one crash: before and after
every append to a history and every call of an action, once of the worker and once of
the whole machine. After each, nothing whose outcome was recorded may have been done
again; a second call needs a recorded unknown outcome and an on_unknown that allows it;
the run must end as it does without a crash.

FILE is the workflow, or its tests beside it. Exits 1 if any crash does harm.`,
		Example: "  zflow verify welcome.yaml\n  zflow verify welcome_test.yaml --run 'two refusals' --output json",
		Args:    terminal.Args("FILE"),
		RunE:    func(c *cobra.Command, args []string) error { return t.verify(c, args[0], run) },
	})
	c.Flags().StringVar(&run, "run", "", "only tests whose name this regular `expression` matches")
	return c
}

func (sh *tester) verify(c *cobra.Command, file, run string) error {
	if !flowtest.IsTest(file) {
		var err error
		if file, err = testsBeside(file); err != nil {
			return err
		}
	}
	runner, files, err := newRunner([]string{file})
	if err != nil {
		return err
	}
	o := flowtest.Options{}
	if run != "" {
		if o.Match, err = regexp.Compile(run); err != nil {
			return terminal.Misused("--run: %v", err)
		}
	}
	suite, problems, err := flowtest.Load(files[0], runner.Known)
	for _, p := range problems {
		_, _ = fmt.Fprintln(sh.Err, p) // where nobody reads it, there is no one to tell
	}
	if err != nil {
		return err
	}
	if suite == nil {
		return sh.said
	}
	return sh.crash(c, runner, suite, o)
}

func (sh *tester) crash(c *cobra.Command, runner *flowtest.Runner, suite *flowtest.Suite, o flowtest.Options) error {
	v, err := runner.Verify(c.Context(), suite, o, func(t flowtest.VerifiedTest) {
		if !sh.JSON() {
			_ = sh.Print("%s", t.Text()) // the summary says whether it can be written
		}
	})
	if err != nil {
		return err
	}
	if sh.JSON() {
		err = sh.PrintJSON(v)
	} else {
		err = sh.Print("\n%s", v.Summary())
	}
	if err == nil && !v.Passed {
		err = sh.said
	}
	return err
}

// testsBeside is the file of a workflow's tests.
func testsBeside(file string) (string, error) {
	for _, end := range []string{".yaml", ".yml"} {
		base, ok := strings.CutSuffix(file, end)
		if !ok {
			continue
		}
		if _, err := os.Stat(base + "_test" + end); err != nil {
			return "", fmt.Errorf("verifying %s: %w beside it, in %s_test%s", file, flowtest.ErrNone, base, end)
		}
		return base + "_test" + end, nil
	}
	return "", terminal.Misused("%s is no workflow file: its name ends in .yaml or .yml", file)
}

package command

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"slices"
	"strings"
	"time"

	"zflow/internal/flowtest"
	"zflow/internal/flowtest/share"
	"zflow/internal/terminal"

	"github.com/spf13/cobra"
)

// verifyFlags are those of verify.
type verifyFlags struct {
	run  string
	jobs int
	hand bool // this process tries the crashes that another orders
}

// Verify returns the command verify.
func Verify(sh *terminal.Shell, said error) *cobra.Command {
	t := &tester{sh, said}
	var f verifyFlags
	c := sh.PrintsData(&cobra.Command{
		Use:   "verify FILE|DIR…",
		Short: "Run a workflow's tests with a crash at every point where one can be",
		Long: `Run the tests of a workflow again and again, each time with one crash: before and after
every append to a history and every call of an action, once of the worker and once of
the whole machine. After each, nothing whose outcome was recorded may have been done
again; a second call needs a recorded unknown outcome and an on_unknown that allows it;
the run must end as it does without a crash.

FILE is the workflow, or its tests beside it; a folder stands for all tests in it and
below it. Exits 1 if any crash does harm.`,
		Example: "  zflow verify welcome.yaml\n  zflow verify welcome_test.yaml --run 'two refusals' --output json\n  zflow verify workflows --jobs 4",
		Args: func(c *cobra.Command, args []string) error {
			if f.hand {
				return nil
			}
			return terminal.Args("FILE…")(c, args)
		},
		RunE: func(c *cobra.Command, args []string) error { return t.verify(c, args, f) },
	})
	c.Flags().StringVar(&f.run, "run", "", "only tests whose name this regular `expression` matches")
	c.Flags().IntVarP(&f.jobs, "jobs", "j", runtime.GOMAXPROCS(0), "how many crashes are tried at once, `number` of processes")
	c.Flags().BoolVar(&f.hand, "hand", false, "")
	_ = c.Flags().MarkHidden("hand") // it is there
	return c
}

func (sh *tester) verify(c *cobra.Command, args []string, f verifyFlags) error {
	if f.jobs < 1 {
		return terminal.Misused("--jobs is at least 1")
	}
	if f.hand {
		runner, err := newRunner()
		if err != nil {
			return err
		}
		defer func() { _ = runner.Code.Close() }() // what it leaves is a folder without anything in it
		return share.Serve(c.Context(), sh.In, sh.Out, runner)
	}
	runner, files, list, err := toVerify(args)
	if err != nil {
		return err
	}
	defer func() { _ = runner.Code.Close() }() // what it leaves is a folder without anything in it
	o := flowtest.Verification{Verified: func(t flowtest.VerifiedTest) {
		if !sh.JSON() {
			_ = sh.Print("%s", t.Text()) // the summary says whether it can be written
		}
	}}
	if o.Match, err = named(f.run); err != nil {
		return err
	}
	dismiss, err := sh.hire(c.Context(), &o, f.jobs)
	if err != nil {
		return errors.Join(err, dismiss())
	}
	all, err := sh.crash(c.Context(), runner, files, o)
	if err := errors.Join(err, dismiss()); err != nil {
		return err
	}
	return sh.verdict(all, list)
}

// toVerify are the files of tests that arguments stand for; list says that they may
// be several.
func toVerify(args []string) (runner *flowtest.Runner, files []string, list bool, err error) {
	list = len(args) > 1
	for _, arg := range args {
		info, err := os.Stat(arg)
		dir := err == nil && info.IsDir()
		list = list || dir
		if !dir && !flowtest.IsTest(arg) {
			if arg, err = testsBeside(arg); err != nil {
				return nil, nil, false, err
			}
		}
		files = append(files, arg)
	}
	if files, err = flowtest.Files(files...); err != nil {
		return nil, nil, false, err
	}
	runner, err = newRunner()
	return runner, files, list, err
}

// hire starts the processes that try crashes; dismiss ends them.
func (sh *tester) hire(ctx context.Context, o *flowtest.Verification, jobs int) (dismiss func() error, err error) {
	var crew []*share.Hand
	dismiss = func() (failed error) {
		for _, h := range crew {
			besides, err := h.Close()
			_, _ = fmt.Fprint(sh.Err, besides) // where nobody reads it, there is no one to tell
			if failed == nil && ctx.Err() == nil {
				failed = err
			}
		}
		return failed
	}
	for range jobs {
		if jobs == 1 {
			break // this process does it
		}
		h, err := share.NewHand(ctx, "verify", "--hand")
		if err != nil {
			return dismiss, err
		}
		crew = append(crew, h)
		o.Hands = append(o.Hands, h.Try)
	}
	return dismiss, nil
}

// crash verifies the files one after the other; nil stands for one with mistakes.
func (sh *tester) crash(ctx context.Context, runner *flowtest.Runner, files []string, o flowtest.Verification) (all []*flowtest.Verified, err error) {
	for _, file := range files {
		suite, problems, err := flowtest.Load(file, runner.Known)
		for _, p := range problems {
			_, _ = fmt.Fprintln(sh.Err, p) // where nobody reads it, there is no one to tell
		}
		if err != nil {
			return nil, err
		}
		if suite == nil {
			all = append(all, nil)
			continue
		}
		o.Done = sh.progress(suite.Flow.Name)
		v, err := runner.Verify(ctx, suite, o)
		if errors.Is(err, flowtest.ErrNone) && len(files) > 1 {
			continue // --run names none of its tests
		}
		if err != nil {
			return nil, err
		}
		all = append(all, v)
		if !sh.JSON() {
			if err := sh.Print("\n%s", v.Summary()); err != nil {
				return nil, err
			}
		}
	}
	if len(all) == 0 {
		return nil, flowtest.ErrNone
	}
	return all, nil
}

// often is how often is said how far a long verification is.
const often = 10 * time.Second

func (sh *tester) progress(workflow string) func(done, all int) {
	last := time.Now()
	return func(done, all int) {
		if done == all || time.Since(last) < often {
			return
		}
		last = time.Now()
		sh.Say("%s: %d of %d crashes", workflow, done, all)
	}
}

// verdict prints for programs, and fails where something has.
func (sh *tester) verdict(all []*flowtest.Verified, list bool) error {
	there := slices.DeleteFunc(slices.Clone(all), func(v *flowtest.Verified) bool { return v == nil })
	var err error
	switch {
	case !sh.JSON():
	case list:
		err = sh.PrintJSON(there)
	case len(there) == 1:
		err = sh.PrintJSON(there[0])
	}
	failed := func(v *flowtest.Verified) bool { return v == nil || !v.Passed }
	if err == nil && slices.ContainsFunc(all, failed) {
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

package app

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/zap"
)

// TestDemo: five signed events become five runs that completed, each is shown once,
// and the folder is removed.
func TestDemo(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	out, shown := newOutput(), map[string]bool{}
	d := Demo{Out: out, Log: zap.NewNop(), Limit: time.Minute, Shown: func(ctx context.Context, c *Client, run string) error {
		if shown[run] {
			t.Errorf("run %s is shown twice", run)
		}
		shown[run] = true
		detail, err := c.Operator().Show(ctx, run)
		if err == nil && detail.Status != "completed" {
			t.Errorf("run %s: %s", run, detail.Status)
		}
		return err
	}}
	d.Full = NoCodeHere() == nil
	want := "5 signed events, 5 runs completed"
	if d.Full {
		want = "5 signed events, 7 runs completed" // two of the events are meeting.ended
	}
	begin := time.Now()
	if err := d.Run(t.Context()); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	t.Logf("took %v", time.Since(begin))
	if !strings.Contains(out.String(), want) {
		t.Errorf("%d runs are shown:\n%s", len(shown), out)
	}
	if left, err := filepath.Glob(filepath.Join(os.TempDir(), "*")); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

// TestDemoEndsWithItsLimit: and with what goes wrong at showing a run.
func TestDemoEndsWithItsLimit(t *testing.T) {
	d := Demo{Out: newOutput(), Log: zap.NewNop(), Limit: time.Nanosecond, Shown: func(context.Context, *Client, string) error { return nil }}
	if err := d.Run(t.Context()); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("%v", err)
	}
	broken := errors.New("the pipe is broken")
	d.Limit, d.Shown = time.Minute, func(context.Context, *Client, string) error { return broken }
	if err := d.Run(t.Context()); !errors.Is(err, broken) {
		t.Errorf("%v", err)
	}
}

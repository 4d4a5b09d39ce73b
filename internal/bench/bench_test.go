package bench

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"go.uber.org/zap"
)

// serves makes this test program the process under measurement.
const serves = "serve"

func TestMain(m *testing.M) {
	if slices.Contains(os.Args[1:], serves) {
		log := zap.NewExample(zap.IncreaseLevel(zap.ErrorLevel))
		if err := Serve(context.Background(), os.Stdin, os.Stdout, log); err != nil {
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

func config(t *testing.T) Config {
	t.Helper()
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return Config{
		Program: []string{program, serves}, Data: t.TempDir(), Modes: []string{Group, Always}, Concurrency: []int{1, aimed},
		Only: []string{Speed}, Runs: 20, Length: 30 * time.Millisecond, Rate: 200, Progress: io.Discard, Errors: io.Discard,
	}
}

// TestRun measures a little of everything, with zflow in processes of its own.
func TestRun(t *testing.T) {
	c := config(t)
	c.Profile = filepath.Join(t.TempDir(), "cpu.out")
	r, err := Run(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	if !r.Sound() {
		t.Error("runs were lost, repeated or out of order")
	}
	if len(r.Runs) != 6 || len(r.Webhooks) != 3 || len(r.Paced) != 3 || len(r.Publishes) != 2 || len(r.Disk) != 2 {
		t.Errorf("%d, %d, %d, %d and %d figures", len(r.Runs), len(r.Webhooks), len(r.Paced), len(r.Publishes), len(r.Disk))
	}
	for _, m := range slices.Concat(r.Runs, r.Paced) {
		wanted := 20
		if m.Concurrent == aimed {
			wanted = aimed
		}
		if m.Complete != wanted {
			t.Errorf("%s at %d: %d runs, want %d", m.System, m.Concurrent, m.Complete, wanted)
		}
		if m.System != Null && (m.Appends < 4 || m.Appends > 8) { // more where a slow machine lets a start grow old
			t.Errorf("%s at %d: %v appends a run, want 4 or a little more", m.System, m.Concurrent, m.Appends)
		}
		if m.System == Null && (m.Appends != 0 || m.Stored != 0) {
			t.Errorf("the null pipeline keeps something: %+v", m)
		}
		if m.System == Always && m.Flushes < 5 || m.System == Group && (m.Flushes <= 0 || m.Flushes > 10) {
			t.Errorf("%s at %d: %v flushes a run", m.System, m.Concurrent, m.Flushes)
		}
	}
	if len(r.Aims) != 6 {
		t.Errorf("aims: %+v", r.Aims)
	}
	if info, err := os.Stat(c.Profile); err != nil || info.Size() == 0 {
		t.Errorf("the profile: %v", err)
	}
	empty(t, c.Data)
	prints(t, r)
}

// empty checks that nothing is left behind.
func empty(t *testing.T, dir string) {
	t.Helper()
	left, err := os.ReadDir(dir)
	if err != nil || len(left) > 0 {
		t.Errorf("left in the data folder: %v, %v", left, err)
	}
}

// prints checks that people and programs get all of a report.
func prints(t *testing.T, r *Report) {
	t.Helper()
	var text bytes.Buffer
	if err := r.Print(&text); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"÷ null", "group", "always", "write + fdatasync", "publish, durable", "flushes per run at 64", "RSS"} {
		if !strings.Contains(text.String(), want) {
			t.Errorf("the report does not say %q:\n%s", want, &text)
		}
	}
	raw, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	var back Report
	if err := json.Unmarshal(raw, &back); err != nil || len(back.Runs) != len(r.Runs) || *back.Idle != *r.Idle {
		t.Errorf("read back from JSON: %v, %s", err, raw)
	}
}

// TestInterrupted: an end from outside stops the load and removes everything.
func TestInterrupted(t *testing.T) {
	c := config(t)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	c.Runs, c.Length = 0, time.Hour
	c.Progress = writer(func(p []byte) {
		if bytes.HasPrefix(p, []byte("warming")) {
			cancel()
		}
	})
	if _, err := Run(ctx, c); !errors.Is(err, context.Canceled) {
		t.Errorf("Run = %v, want canceled", err)
	}
	empty(t, c.Data)
}

type writer func([]byte)

func (w writer) Write(p []byte) (int, error) { w(p); return len(p), nil }

// TestProgramThatDoesNotServe: its end is an error, and no wait without end.
func TestProgramThatDoesNotServe(t *testing.T) {
	for _, program := range [][]string{{"/bin/true"}, {"/bin/false"}, {filepath.Join(t.TempDir(), "none")}} {
		c := config(t)
		c.Program = program
		if _, err := Run(t.Context(), c); err == nil || !strings.Contains(err.Error(), "starting group") {
			t.Errorf("%v: Run = %v", program, err)
		}
		empty(t, c.Data)
	}
}

// TestServeRefuses: what cannot be obeyed is said on both sides.
func TestServeRefuses(t *testing.T) {
	for name, line := range map[string]string{
		"no order":           "",
		"no JSON":            "{\n",
		"no folder to write": `{"system":"group","folder":"/dev/null/x"}` + "\n",
	} {
		if err := Serve(t.Context(), strings.NewReader(line), io.Discard, zap.NewNop()); err == nil {
			t.Errorf("%s: Serve = nil", name)
		}
	}
	var out bytes.Buffer
	in := `{"system":"null"}` + "\n" + `{"profile":"/dev/null/x"}` + "\n" + "{\n"
	if err := Serve(t.Context(), strings.NewReader(in), &out, zap.NewNop()); err != nil {
		t.Fatal(err)
	}
	if lines := strings.Split(strings.TrimSpace(out.String()), "\n"); len(lines) != 3 || strings.Contains(lines[0], "error") ||
		!strings.Contains(lines[1], "not a directory") || !strings.Contains(lines[2], "reading a request") {
		t.Errorf("it answers %q", lines)
	}
}

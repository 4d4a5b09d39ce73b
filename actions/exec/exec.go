// Package exec has the action exec.run, which runs a program that the configuration
// allows by name.
//
// Obligations:
//
//  1. No shell: the program and its first arguments are the configuration's, the rest
//     are the step's, each as it is.
//  2. It begins in an empty folder of its own, which is removed after it, with a clean
//     environment and the limits of internal/child. Nothing of it outlives the call.
//  3. A program that ended says what happened; one that was killed in the middle may
//     have done anything: its outcome is unknown, unless the configuration says that
//     it only reads, or may run twice.
//  4. Credentials reach it opened, in arguments, input and files. Where its output or
//     an error repeats one, it is masked.
package exec

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"zflow/actions"
	"zflow/internal/child"
)

// Program is one that may be run.
type Program struct {
	Path      string
	Args      []string // before those of the step
	Timeout   time.Duration
	Memory    int64 // bytes of data of each of its processes
	Processes int   // at once
	Effect    actions.Effect
}

// Options of the action. The zero value refuses.
type Options struct {
	Programs map[string]Program
	Files    actions.Files
	Reveal   func(text string) (string, error) // opens what is sealed in a text; nil: nothing is sealed
	Folder   string                            // where the folders of calls are made; empty: the system's
}

// What a program gets where the configuration says nothing.
const (
	DefaultTimeout   = time.Minute
	DefaultMemory    = 512 << 20
	DefaultProcesses = 64
	openFiles        = 256
	maxOutput        = 1 << 20 // of stdout; stderr has a quarter
	maxFile          = 1 << 30
	maxFiles         = 100
)

// Action returns exec.run.
func Action(o Options) *actions.Action {
	r := &runner{o}
	return &actions.Action{Spec: spec(), Do: r.run, EffectOf: r.effect}
}

type runner struct{ Options }

func (r *runner) effect(input map[string]any) actions.Effect {
	name, _ := input["program"].(string)
	return cmp.Or(r.Programs[name].Effect, actions.Write)
}

func (r *runner) run(ctx context.Context, c actions.Call) (actions.Result, error) {
	q, err := r.request(c.Input)
	if err != nil {
		return actions.Result{}, err
	}
	q.dir, err = os.MkdirTemp(r.Folder, "zflow-exec-")
	if err != nil {
		return actions.Result{}, actions.Retryable("making a folder for %s: %v", q.name, err)
	}
	defer os.RemoveAll(q.dir)
	if err := r.putFiles(ctx, q); err != nil {
		return actions.Result{}, err
	}
	out, err := q.call(ctx)
	if err != nil {
		return actions.Result{}, err
	}
	if out["files"], err = r.takeFiles(ctx, q); err != nil {
		return actions.Result{}, err
	}
	return actions.Result{Output: out}, nil
}

// call runs the program, and tells what it said.
func (q *request) call(ctx context.Context) (map[string]any, error) {
	ctx, cancel := context.WithTimeout(ctx, q.timeout)
	defer cancel()
	flooded := make(chan struct{})
	stdout := &child.Bounded{Limit: maxOutput, Over: func() { close(flooded) }}
	stderr := &child.Bounded{Limit: maxOutput / 4}
	p := child.Program{
		Path: q.program.Path, Args: slices.Concat(q.program.Args, q.args), Dir: q.dir, Stdin: strings.NewReader(q.stdin), Stdout: stdout, Stderr: stderr,
		Env: []string{"PATH=/usr/local/bin:/usr/bin:/bin", "HOME=" + q.dir, "TMPDIR=" + q.dir, "LANG=C.UTF-8", "TZ=UTC"},
		Limits: child.Limits{
			Memory: cmp.Or(q.program.Memory, DefaultMemory), Processes: cmp.Or(q.program.Processes, DefaultProcesses), OpenFiles: openFiles, FileSize: maxFile,
		},
	}
	program, err := child.Start(p)
	if errors.Is(err, os.ErrNotExist) || errors.Is(err, os.ErrPermission) {
		return nil, actions.Final("the program %s cannot be run on this worker: %v", q.name, errors.Unwrap(err)).With(0, "no_program")
	}
	if err != nil {
		return nil, actions.Retryable("starting %s: %v", q.name, err)
	}
	stopped := ""
	select {
	case <-program.Done():
	case <-ctx.Done():
		stopped = q.late(ctx)
	case <-flooded:
		stopped = fmt.Sprintf("it wrote more than %d KiB", maxOutput>>10)
	}
	program.Kill()
	end, err := program.Wait()
	if end.Crowded {
		stopped = fmt.Sprintf("it had more than %d processes", p.Limits.Processes)
	}
	if stopped != "" || err != nil {
		return nil, q.killed(cmp.Or(stopped, fmt.Sprint(err)))
	}
	return q.ended(end, stdout.Bytes(), stderr.Bytes())
}

func (q *request) late(ctx context.Context) string {
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return "it took longer than " + q.timeout.String() + ", or than the step's timeout"
	}
	return "it was canceled"
}

// killed is the error of a program that was ended in the middle.
func (q *request) killed(why string) *actions.Error {
	e := &actions.Error{Class: actions.ClassUnknown, Code: "killed", Message: fmt.Sprintf("%s was ended: %s", q.name, why)}
	if q.program.Effect == actions.Read || q.program.Effect == actions.Idempotent {
		e.Class = actions.ClassRetryable
	}
	return e
}

// tempFail is the exit code by which programs say that it may work later: EX_TEMPFAIL.
const tempFail = 75

// ended makes an output of a program that ended by itself, or an error.
func (q *request) ended(end child.End, stdout, stderr []byte) (map[string]any, error) {
	said := q.masked(stderr)
	switch {
	case end.Signal != "":
		return nil, q.killed("a signal ended it (" + end.Signal + "): it may have had too little memory" + q.last(said))
	case end.Code == tempFail:
		return nil, actions.Retryable("%s ended with code %d%s", q.name, end.Code, q.last(said)).With(0, fmt.Sprint(end.Code))
	case !slices.Contains(q.codes, int64(end.Code)):
		return nil, actions.Final("%s ended with code %d%s", q.name, end.Code, q.last(said)).With(0, fmt.Sprint(end.Code))
	}
	return map[string]any{"code": int64(end.Code), "stdout": q.masked(stdout), "stderr": said}, nil
}

// last is the last line that a program wrote to stderr.
func (q *request) last(said string) string {
	lines := strings.Split(strings.TrimSpace(said), "\n")
	line := strings.TrimSpace(lines[len(lines)-1])
	if line == "" {
		return ""
	}
	if r := []rune(line); len(r) > 300 {
		line = string(r[:300]) + "…"
	}
	return ": " + line
}

// hidden is shown where a program repeats a credential.
const hidden = "••••"

// masked is what a program wrote as text, without credentials.
func (q *request) masked(raw []byte) string {
	text := string(raw)
	if !utf8.ValidString(text) {
		text = strings.ToValidUTF8(text, "\uFFFD")
	}
	for _, s := range q.secrets {
		text = strings.ReplaceAll(text, s, hidden)
	}
	return marker.ReplaceAllString(text, hidden)
}

func names(programs map[string]Program) string {
	if len(programs) == 0 {
		return "worker.exec names none"
	}
	return "worker.exec has " + strings.Join(slices.Sorted(maps.Keys(programs)), ", ")
}

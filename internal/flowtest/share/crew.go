package share

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"strings"

	"zflow/internal/flowtest"
)

// said is what a hand answers.
type said struct {
	flowtest.Answer
	Error string `json:"error,omitempty"`
}

// Serve tries the crashes that are ordered on in, one JSON line each, and answers
// each by one on w, until in ends.
func Serve(ctx context.Context, in io.Reader, w io.Writer, r *flowtest.Runner) error {
	orders, out := json.NewDecoder(bufio.NewReader(in)), json.NewEncoder(w)
	verifiers := map[string]*flowtest.Verifier{}
	for {
		var o flowtest.Order
		if err := orders.Decode(&o); err != nil {
			if errors.Is(err, io.EOF) {
				return nil
			}
			return fmt.Errorf("reading what to crash: %w", err)
		}
		a, err := try(ctx, r, verifiers, o)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		s := said{Answer: a}
		if err != nil {
			s.Error = err.Error()
		}
		if err := out.Encode(s); err != nil {
			return fmt.Errorf("telling what came of a crash: %w", err)
		}
	}
}

func try(ctx context.Context, r *flowtest.Runner, verifiers map[string]*flowtest.Verifier, o flowtest.Order) (flowtest.Answer, error) {
	v := verifiers[o.File]
	if v == nil {
		s, problems, err := flowtest.Load(o.File, r.Known)
		if s == nil {
			return flowtest.Answer{}, errors.Join(err, problems.Err())
		}
		v = r.Verifier(s)
		verifiers[o.File] = v
	}
	return v.Try(ctx, o)
}

// Hand is a process of this program that tries crashes.
type Hand struct {
	process *exec.Cmd
	in      io.WriteCloser
	orders  *json.Encoder
	answers *json.Decoder
	stderr  strings.Builder
}

// NewHand starts one with these arguments; they lead to Serve. The end of ctx ends it.
func NewHand(ctx context.Context, args ...string) (*Hand, error) {
	c, err := process(ctx, args)
	if err != nil {
		return nil, err
	}
	h := &Hand{process: c}
	h.process.Stderr = &h.stderr
	out, err := h.process.StdoutPipe()
	if err == nil {
		h.in, err = h.process.StdinPipe()
	}
	if err == nil {
		err = h.process.Start()
	}
	if err != nil {
		return nil, fmt.Errorf("starting a process for crashes: %w", err)
	}
	h.orders, h.answers = json.NewEncoder(h.in), json.NewDecoder(bufio.NewReader(out))
	return h, nil
}

// Try has it try one crash.
func (h *Hand) Try(ctx context.Context, o flowtest.Order) (flowtest.Answer, error) {
	var s said
	err := h.orders.Encode(o)
	if err == nil {
		err = h.answers.Decode(&s)
	}
	switch {
	case ctx.Err() != nil:
		return s.Answer, context.Cause(ctx)
	case err != nil:
		return s.Answer, fmt.Errorf("crashing %s: its process broke off: %w", o.File, err)
	case s.Error != "":
		return s.Answer, fmt.Errorf("crashing %s: %s", o.File, s.Error)
	}
	return s.Answer, nil
}

// Close ends it, and returns what it has said besides.
func (h *Hand) Close() (besides string, err error) {
	_ = h.in.Close() // it may have ended already
	err = h.process.Wait()
	if err != nil {
		err = fmt.Errorf("ending a process for crashes: %w", err)
	}
	return h.stderr.String(), err
}

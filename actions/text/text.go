// Package text has the action text.template: a long text with loops and conditions,
// as Go's package text/template has them.
//
// Obligations:
//
//  1. A template sees its data and nothing else: no files, no environment, no clock.
//  2. It ends: in steps, in the size of each text that it makes, and with the call.
//  3. null is an error where it would be written, as in an expression; the places
//     of errors are those in the template.
//  4. Credentials stay sealed: they pass into the output as they are.
package text

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"text/template"
	"text/template/parse"

	"zflow/actions"
)

const (
	maxTemplate = 256 << 10
	maxOutput   = 1 << 20
	maxSteps    = 100_000
)

// Action returns text.template.
func Action() *actions.Action { return &actions.Action{Spec: spec(), Do: fill} }

func fill(ctx context.Context, c actions.Call) (actions.Result, error) {
	source, ok := c.Input["template"].(string)
	escape, _ := c.Input["escape"].(string)
	switch {
	case !ok:
		return actions.Result{}, actions.Final("template is missing, or not text")
	case len(source) > maxTemplate:
		return actions.Result{}, actions.Final("the template is longer than %d KiB", maxTemplate>>10)
	case escape != "" && escape != "none" && escape != "html":
		return actions.Result{}, actions.Final("escape is none or html, not %.40q", escape)
	}
	data := c.Input["data"]
	if data == nil {
		data = map[string]any{}
	}
	f := &filling{ctx: ctx, html: escape == "html"}
	t, err := template.New("template").Funcs(f.functions()).Parse(source)
	if err != nil {
		return actions.Result{}, told(err)
	}
	for _, one := range t.Templates() {
		if one.Tree != nil {
			f.guard(one.Root)
		}
	}
	if err := t.Execute(f, data); err != nil {
		return actions.Result{}, told(err)
	}
	return actions.Result{Output: map[string]any{"text": f.out.String()}}, nil
}

// filling is one execution.
type filling struct {
	ctx   context.Context
	html  bool
	steps int
	out   bytes.Buffer
}

var errLong = fmt.Errorf("the text is longer than %d KiB", maxOutput>>10)

// Write adds to the output, up to its limit.
func (f *filling) Write(b []byte) (int, error) {
	if f.out.Len()+len(b) > maxOutput {
		return 0, errLong
	}
	return f.out.Write(b)
}

// guard makes each round of a loop and each use of a template count, and each value
// that is written go through show.
func (f *filling) guard(list *parse.ListNode) {
	if list == nil {
		return
	}
	for _, n := range list.Nodes {
		switch n := n.(type) {
		case *parse.ActionNode:
			if len(n.Pipe.Decl) == 0 {
				n.Pipe.Cmds = append(n.Pipe.Cmds, command(n.Pos, "show"))
			}
		case *parse.IfNode:
			f.guard(n.List)
			f.guard(n.ElseList)
		case *parse.WithNode:
			f.guard(n.List)
			f.guard(n.ElseList)
		case *parse.RangeNode:
			f.guard(n.List)
			f.guard(n.ElseList)
		}
	}
	tick := &parse.ActionNode{NodeType: parse.NodeAction, Pos: list.Pos, Pipe: &parse.PipeNode{NodeType: parse.NodePipe, Pos: list.Pos, Cmds: []*parse.CommandNode{command(list.Pos, "tick")}}}
	list.Nodes = append([]parse.Node{tick}, list.Nodes...)
}

func command(at parse.Pos, name string) *parse.CommandNode {
	return &parse.CommandNode{NodeType: parse.NodeCommand, Pos: at, Args: []parse.Node{parse.NewIdentifier(name).SetPos(at)}}
}

var errSteps = errors.New("the template does too much: its loops were stopped")

// tick counts a round.
func (f *filling) tick() (string, error) {
	if f.steps++; f.steps > maxSteps {
		return "", errSteps
	}
	if f.steps%1000 == 0 && f.ctx.Err() != nil {
		return "", errors.New("the call was ended")
	}
	return "", nil
}

var place = regexp.MustCompile(`^template: [^:]*:(\d+)(?::(\d+))?: (?s)(.*)$`)
var calling = regexp.MustCompile(`(?s)^executing "[^"]*" at <(.*?)>: (?:error calling \w+: )?(.*)$`)

// told says what is wrong with a template, and where.
func told(err error) error {
	for _, large := range []error{errSteps, errLong} {
		if errors.Is(err, large) {
			return actions.Final("%v", large).With(0, "too_large")
		}
	}
	m := place.FindStringSubmatch(err.Error())
	if m == nil {
		return actions.Final("the template cannot be filled: %v", err).With(0, "template")
	}
	what, at := m[3], "line "+m[1]
	if c := calling.FindStringSubmatch(what); c != nil {
		if what = c[2]; c[1] != "show" {
			at += ", at {{" + strings.Trim(c[1], "{}") + "}}"
		}
	}
	return actions.Final("the template, %s: %s", at, what).With(0, "template")
}

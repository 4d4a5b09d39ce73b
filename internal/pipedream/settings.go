package pipedream

import (
	"fmt"
	"strconv"
	"strings"

	"zflow/engine/definition/document"
)

// settings writes those of a workflow's settings that stand before its steps.
func (t *translation) settings(flow object) {
	if t.file.settings == nil {
		return
	}
	for _, f := range t.file.settings.Fields {
		t.setting(flow, ID(f.Key.Value), f)
	}
}

func (t *translation) setting(flow object, name string, f pair) {
	switch name {
	case "error_notification", "name", "auto_deploy":
	case "concurrency", "concurrency_limit", "workers":
		if n := number(f.Value, "limit", "workers", "max", "concurrency"); n > 0 {
			flow.put("concurrency", newObject().put("limit", n))
			return
		}
		t.lost(f)
	case "auto_retry", "retry", "auto_retry_errors":
		if f.Value.Value == "true" || f.Value.Kind == document.Object {
			flow.put("retry", newObject().put("attempts", 9).put("delay", "2m").put("backoff", 2).put("max_delay", "4h"))
			t.note(f.Key, true, "there a failed step was tried up to 8 times within hours, whatever the error; here it is so often too, where the error may pass", "")
		}
	case "timeout", "lambda_timeout", "execution_timeout":
		if n := number(f.Value, "seconds", "value"); n > 0 {
			t.note(f.Key, true, fmt.Sprintf("there all steps together had %d s; here each step has 5 minutes, and more where it says timeout:", n), "")
			return
		}
		t.lost(f)
	default:
		t.lost(f)
	}
}

func (t *translation) lost(f pair) {
	if f.Value.IsNull() || f.Value.Value == "false" {
		return
	}
	t.note(f.Key, true, fmt.Sprintf("the setting %s has nothing that stands for it, and was left out", f.Key.Value), "")
}

// number is one that stands for itself or in one of some fields; 0: there is none.
func number(n *node, fields ...string) int {
	if n.Kind == document.Scalar {
		i, err := strconv.Atoi(strings.TrimSpace(n.Value))
		if err != nil {
			return 0
		}
		return i
	}
	for _, name := range fields {
		if one := n.Get(name); one != nil && one.Kind == document.Scalar {
			return number(one)
		}
	}
	return 0
}

// afterwards writes what comes after the steps.
func (t *translation) afterwards(flow object) {
	if t.file.settings == nil {
		return
	}
	n := t.file.settings.Get("error_notification")
	if n == nil || n.Value != "true" {
		return
	}
	flow.put("on_failure", []object{newObject().put("uses", "log").put("with",
		newObject().put("level", "error").put("message", "${{ failure.step }}: ${{ failure.error.message }}"))})
	t.note(n, true, "Pipedream sent a mail when a run failed; here a line is logged", "use email.send in on_failure, and say to whom")
}

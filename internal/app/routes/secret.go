package routes

import (
	"errors"
	"time"

	"zflow/engine/expr"
	"zflow/engine/workflow"
)

// secret computes a text that is made of secrets. Its error says nothing of them.
func (d *Desk) secret(w *workflow.Workflow, t *expr.Template) (string, error) {
	now := d.Secrets()
	secrets := make(map[string]any, len(now))
	for name, value := range now {
		secrets[name] = value
	}
	v, err := t.Eval(expr.Env{"secrets": secrets, "vars": w.Vars}, expr.Clock{Now: time.Now(), Seed: w.Name})
	text, isText := v.(string)
	if err != nil || !isText || text == "" {
		return "", errors.New("a secret of its auth is not configured, or is empty")
	}
	return text, nil
}

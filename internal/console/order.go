package console

import (
	"encoding/json"

	"zflow/internal/operator"
)

func (a *api) cancelRun(c *call) (any, error) {
	var b struct {
		Reason string `json:"reason"`
		Now    bool   `json:"now"`
	}
	if err := c.body(&b); err != nil {
		return nil, err
	}
	return done(c.backend.Operator.Cancel(c.ctx, operator.Cancellation{Run: c.r.PathValue("id"), By: c.by(), Reason: b.Reason, Now: b.Now}))
}

func (a *api) signalRun(c *call) (any, error) {
	var b struct {
		Name string          `json:"name"`
		Data json.RawMessage `json:"data"`
	}
	if err := c.body(&b); err != nil {
		return nil, err
	}
	return done(c.backend.Operator.Signal(c.ctx, operator.Signal{Run: c.r.PathValue("id"), Name: b.Name, By: c.by(), Data: b.Data}))
}

func (a *api) approveRun(c *call) (any, error) {
	var b struct {
		Step    string            `json:"step"`
		Choice  string            `json:"choice"`
		Fields  map[string]string `json:"fields"`
		Data    json.RawMessage   `json:"data"`
		Comment string            `json:"comment"`
	}
	if err := c.body(&b); err != nil {
		return nil, err
	}
	return done(c.backend.Operator.Approve(c.ctx, operator.Approval{Run: c.r.PathValue("id"), Step: b.Step, Choice: b.Choice,
		Fields: b.Fields, Data: b.Data, Comment: b.Comment, By: c.by()}))
}

func (a *api) retryRun(c *call) (any, error) {
	var b struct {
		With    map[string]map[string]json.RawMessage `json:"with"`
		Version string                                `json:"version"`
		Latest  bool                                  `json:"latest"`
	}
	if err := c.body(&b); err != nil {
		return nil, err
	}
	if b.Latest && b.Version != "" {
		return nil, invalid("latest and version both say which version: leave one out")
	}
	return done(c.backend.Operator.Retry(c.ctx, operator.Retry{Run: c.r.PathValue("id"), By: c.by(), With: b.With, Version: b.Version, Latest: b.Latest}))
}

// done is the run once its history shows the order.
func done(r operator.Run, err error) (any, error) { return r, err }

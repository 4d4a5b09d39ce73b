package catalog

import (
	"context"
	"fmt"
	"strings"

	"zflow/proto"
)

// describes is how the description of a workflow's consumer begins.
const describes = "zflow: events of workflow "

// Tidy deletes the consumers of workflows that are not deployed: one is left where
// a removal was cut short, or where a power failure took the entry of a new workflow.
func (c *Catalog) Tidy(ctx context.Context) error {
	left, err := c.consumers(ctx)
	if err != nil {
		return fmt.Errorf("listing the consumers of %s: %w", proto.Events, err)
	}
	for _, name := range left { // each entry was written before its consumer: what is not there now is gone
		e, err := c.load(ctx, name)
		if err == nil && (e == nil || e.State == Removed) {
			if err = c.drop(ctx, name); err == nil {
				err = c.settle(ctx, name) // deployed meanwhile
			}
		}
		if err != nil {
			return fmt.Errorf("tidying the consumer of %s: %w", name, err)
		}
	}
	return nil
}

// consumers lists those that are workflows'.
func (c *Catalog) consumers(ctx context.Context) ([]string, error) {
	events, err := c.js.Stream(ctx, proto.Events)
	if err != nil {
		return nil, err
	}
	var names []string
	all := events.ListConsumers(ctx)
	for info := range all.Info() {
		if strings.HasPrefix(info.Config.Description, describes) && validName(info.Name) {
			names = append(names, info.Name)
		}
	}
	return names, all.Err()
}

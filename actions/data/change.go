package data

import (
	"context"
	"encoding/json"
	"math"
	"time"

	"zflow/actions"
	"zflow/engine/data"
)

// condition is the if of a step.
type condition struct {
	absent, unchanged bool
	revision          uint64
}

func conditionOf(input map[string]any) (c condition, err error) {
	given, err := actions.TextIn(input, "if")
	if err != nil {
		return c, err
	}
	revision, err := whole(input, "revision", -1, 0, math.MaxInt64)
	if err != nil {
		return c, err
	}
	switch given {
	case "":
	case "absent":
		c.absent = true
	case "unchanged":
		c.unchanged, c.revision = true, uint64(revision)
	default:
		return c, actions.Final("if is absent or unchanged, not %.40q", given)
	}
	if c.unchanged != (revision >= 0) {
		return c, actions.Final("if: unchanged and revision belong together: revision is what data.get gave")
	}
	return c, nil
}

func (c condition) holds(e data.Entry) bool {
	return (!c.absent || e.Value == nil) && (!c.unchanged || e.Revision == c.revision)
}

func (k *keeper) set(ctx context.Context, c actions.Call) (actions.Result, error) {
	v, given := c.Input["value"]
	if !given {
		return actions.Result{}, actions.Final("value is missing")
	}
	raw, err := encode(v)
	if err != nil {
		return actions.Result{}, err
	}
	ttl, err := life(c.Input)
	if err != nil {
		return actions.Result{}, err
	}
	when, err := conditionOf(c.Input)
	if err != nil {
		return actions.Result{}, err
	}
	return k.change(ctx, c, actions.ClassRetryable, func(e data.Entry) (data.Next, error) {
		if !when.holds(e) {
			return data.Next{Leave: true, Answer: map[string]any{"set": false, "value": e.Value}}, nil
		}
		return data.Next{Value: raw, Expires: until(ttl), Answer: map[string]any{"set": true}}, nil
	})
}

func until(ttl time.Duration) time.Time {
	if ttl == 0 {
		return time.Time{}
	}
	return time.Now().Add(ttl)
}

// expiry is that of a value which is changed: its own, or ttl from now if it is new.
func expiry(e data.Entry, ttl time.Duration) time.Time {
	if e.Value != nil {
		return e.Expires
	}
	return until(ttl)
}

func (k *keeper) increment(ctx context.Context, c actions.Call) (actions.Result, error) {
	by, given := c.Input["by"]
	if !given || by == nil {
		by = int64(1)
	}
	if !number(by) {
		return actions.Result{}, actions.Final("by is not a number")
	}
	ttl, err := life(c.Input)
	if err != nil {
		return actions.Result{}, err
	}
	return k.change(ctx, c, actions.ClassUnknown, func(e data.Entry) (data.Next, error) {
		old, err := valueOf(e, int64(0))
		if err != nil {
			return data.Next{}, err
		}
		if !number(old) {
			return data.Next{}, actions.Final("the value of %q is not a number", e.Key).With(0, "wrong_type")
		}
		sum, err := add(old, by)
		if err != nil {
			return data.Next{}, err
		}
		raw, err := encode(sum)
		return data.Next{Value: raw, Expires: expiry(e, ttl), Answer: map[string]any{"value": sum}}, err
	})
}

func valueOf(e data.Entry, otherwise any) (any, error) {
	if e.Value == nil {
		return otherwise, nil
	}
	return actions.DecodeJSON(e.Value)
}

func number(v any) bool {
	switch v.(type) {
	case int64, float64:
		return true
	}
	return false
}

// add adds whole numbers exactly, and others as such.
func add(a, b any) (any, error) {
	x, whole := a.(int64)
	y, too := b.(int64)
	if whole && too {
		if sum := x + y; (sum > x) == (y > 0) {
			return sum, nil
		}
		return nil, actions.Final("the sum does not fit into 64 bits").With(0, "too_large")
	}
	sum := float(a) + float(b)
	if math.IsInf(sum, 0) || math.IsNaN(sum) {
		return nil, actions.Final("the sum is no number any more").With(0, "too_large")
	}
	return sum, nil
}

func float(v any) float64 {
	if n, ok := v.(int64); ok {
		return float64(n)
	}
	f, _ := v.(float64)
	return f
}

func (k *keeper) append(ctx context.Context, c actions.Call) (actions.Result, error) {
	v, given := c.Input["value"]
	if !given {
		return actions.Result{}, actions.Final("value is missing")
	}
	item, err := encode(v)
	if err != nil {
		return actions.Result{}, err
	}
	ttl, err := life(c.Input)
	if err != nil {
		return actions.Result{}, err
	}
	most, err := whole(c.Input, "keep", math.MaxInt64, 1, math.MaxInt32)
	if err != nil {
		return actions.Result{}, err
	}
	return k.change(ctx, c, actions.ClassUnknown, func(e data.Entry) (data.Next, error) {
		var list []json.RawMessage // their digits are let be
		if e.Value != nil && json.Unmarshal(e.Value, &list) != nil {
			return data.Next{}, actions.Final("the value of %q is not a list", e.Key).With(0, "wrong_type")
		}
		list = append(list, item)
		list = list[max(int64(len(list))-most, 0):]
		raw, err := encode(list)
		return data.Next{Value: raw, Expires: expiry(e, ttl), Answer: map[string]any{"length": int64(len(list))}}, err
	})
}

func (k *keeper) delete(ctx context.Context, c actions.Call) (actions.Result, error) {
	when, err := conditionOf(c.Input)
	if err != nil {
		return actions.Result{}, err
	}
	if when.absent {
		return actions.Result{}, actions.Final("what is absent cannot be deleted: delete has if: unchanged only")
	}
	return k.change(ctx, c, actions.ClassRetryable, func(e data.Entry) (data.Next, error) {
		there := e.Value != nil && when.holds(e)
		return data.Next{Leave: !there, Answer: map[string]any{"deleted": there}}, nil
	})
}

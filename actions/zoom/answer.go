package zoom

import (
	"bytes"
	"context"

	"zflow/actions"
	"zflow/internal/zoomapi"
)

// read takes an answer for a success only if it looks like one.
func (op operation) read(res zoomapi.Response) (map[string]any, error) {
	body := bytes.TrimSpace(res.Body)
	if len(op.known) == 0 && len(body) == 0 {
		return nil, nil
	}
	v, err := actions.DecodeJSON(body)
	object, ok := v.(map[string]any)
	if err != nil || !ok {
		return nil, op.strange(res, "the answer is not a JSON object")
	}
	for _, name := range op.known {
		if _, ok := object[name]; ok {
			return object, nil
		}
	}
	if p, ok := zoomapi.ReadProblem(body); ok {
		return nil, actions.Final("%s", p.Text()).With(res.Status, p.CodeText())
	}
	if len(op.known) == 0 {
		return object, nil
	}
	return nil, op.strange(res, "the answer has none of the fields that are expected")
}

// strange is the error of a 2xx that is not Zoom's: it does not say whether the
// call reached Zoom.
func (op operation) strange(res zoomapi.Response, what string) error {
	class := actions.ClassRetryable
	if op.effect == actions.Write {
		class = actions.ClassUnknown
	}
	return (&actions.Error{Class: class, Message: "reading Zoom's answer: " + what}).With(res.Status, "")
}

// Limits of a list, in items.
const (
	pageSize     = 300
	defaultLimit = 300
	mostItems    = 10_000
)

// pages reads page after page, up to the limit of the input. A page's token lives
// for 15 minutes, so a list is read in one attempt or not at all.
func (op operation) pages(ctx context.Context, c caller, q zoomapi.Request) (actions.Result, error) {
	limit, err := limitOf(c.call.Input)
	if err != nil {
		return actions.Result{}, err
	}
	out := map[string]any{op.list: []any{}}
	more := true
	for token := ""; more; {
		page, next, err := op.page(ctx, c, q, token, limit)
		if err != nil {
			return actions.Result{}, err
		}
		items, _ := page[op.list].([]any)
		all := append(out[op.list].([]any), items...)
		if total, ok := page["total_records"]; ok {
			out["total_records"] = total
		}
		if len(all) >= limit {
			out[op.list], out["more"] = all[:limit], len(all) > limit || next != ""
			return actions.Result{Output: out}, nil
		}
		if next != "" && (next == token || len(items) == 0) {
			return actions.Result{}, actions.Retryable("reading Zoom's list: it goes round in a circle")
		}
		out[op.list], token, more = all, next, next != ""
	}
	out["more"] = false
	return actions.Result{Output: out}, nil
}

// page reads one page and the token of the next, which is empty at the end.
func (op operation) page(ctx context.Context, c caller, q zoomapi.Request, token string, limit int) (map[string]any, string, error) {
	size, _ := text(int64(min(limit, pageSize)))
	q.Query.Set("page_size", size)
	if token != "" {
		q.Query.Set("next_page_token", token)
	}
	res, err := c.client.Do(ctx, q)
	if err != nil {
		return nil, "", toError(err)
	}
	page, err := op.read(res)
	if err != nil {
		return nil, "", err
	}
	if v, ok := page[op.list]; ok && v != nil {
		if _, ok := v.([]any); !ok {
			return nil, "", op.strange(res, op.list+" is not a list")
		}
	}
	next, _ := page["next_page_token"].(string)
	return page, next, nil
}

func limitOf(input map[string]any) (int, error) {
	switch n := input["limit"].(type) {
	case nil:
		return defaultLimit, nil
	case int64:
		if n >= 1 && n <= mostItems {
			return int(n), nil
		}
	}
	return 0, actions.Final("limit is not a whole number from 1 to %d", mostItems)
}

package action

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"zflow/actions"
	zhttp "zflow/actions/http"
)

const rounds = 8 // in which the two take turns

// Request is what a call of http.request takes, beside the same call made by hand.
type Request struct{ Action, ByHand Times }

// MeasureRequest calls an address on this machine that answers JSON.
func MeasureRequest(ctx context.Context, url string, length time.Duration) (r Request, err error) {
	client, err := zhttp.New(zhttp.Options{Allow: []string{"127.0.0.1"}})
	if err != nil {
		return r, err
	}
	action := client.Action()
	input := map[string]any{"method": "POST", "url": url, "json": map[string]any{"run": "a", "step": int64(1)}}
	turns := []struct {
		call func() error
		all  []time.Duration
	}{
		{call: func() error { _, err := action.Do(ctx, actions.Call{Input: input}); return err }},
		{call: func() error { return byHand(ctx, url) }},
	}
	for round := range rounds + 1 {
		for i := range turns {
			all, err := timed(length/rounds/2, turns[i].call)
			if err := errors.Join(err, ctx.Err()); err != nil {
				return r, err
			}
			if round > 0 { // the first opens connections
				turns[i].all = append(turns[i].all, all...)
			}
		}
	}
	return Request{timesOf(turns[0].all), timesOf(turns[1].all)}, nil
}

// byHand is what one writes in Go who needs the answer.
func byHand(ctx context.Context, url string) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, url, strings.NewReader(`{"run":"a","step":1}`))
	if err != nil {
		return err
	}
	r.Header.Set("Content-Type", "application/json")
	w, err := http.DefaultClient.Do(r)
	if err != nil {
		return err
	}
	var v any
	err = json.NewDecoder(w.Body).Decode(&v)
	_, drained := io.Copy(io.Discard, w.Body)
	if w.StatusCode != http.StatusOK {
		err = errors.Join(err, fmt.Errorf("answered %s", w.Status))
	}
	return errors.Join(err, drained, w.Body.Close())
}

package durable

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
)

const (
	probeEvery = 5 // sweeps
	probeWait  = 5 * time.Second
	noSequence = uint64(1) << 62 // a sequence that no stream reaches
)

// probe asks every stream, again and again, to delete a message that cannot
// exist. A stream that has seen a write error refuses that with the error, since
// the error sticks until the server restarts; a sound one finds nothing to
// delete. So nothing is written and no consumer sees anything. What a stream that
// denies deletes has seen, the server tells (WriteErrors). It returns the
// error of a stream that refused for longer than Patience. While the disk is
// filled to its reserve a restart would not help, so it waits for room.
func (f *Flusher) probe(ctx context.Context) error {
	since := map[string]time.Time{}
	tick := time.NewTicker(probeEvery * f.o.Sweep)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		names, err := f.list()
		if err != nil {
			return err
		}
		known := map[string]string{}
		if f.o.WriteErrors != nil {
			known = f.o.WriteErrors()
		}
		for _, name := range names {
			why := known[name]
			if why == "" {
				why = f.refusal(ctx, name)
			}
			if why == "" {
				delete(since, name)
				continue
			}
			if since[name].IsZero() {
				since[name] = time.Now()
			}
			if d := f.space.now(); time.Since(since[name]) >= f.o.Patience && d.Free >= d.Reserve {
				return fmt.Errorf("writing to stream %s: refused for %v: %s", name, f.o.Patience, why)
			}
		}
	}
}

// refusal returns why a stream takes no writes, or "".
func (f *Flusher) refusal(ctx context.Context, stream string) string {
	ctx, cancel := context.WithTimeout(ctx, probeWait)
	defer cancel()
	body := fmt.Appendf(nil, `{"seq":%d,"no_erase":true}`, noSequence)
	m, err := f.nc.RequestWithContext(ctx, "$JS.API.STREAM.MSG.DELETE."+stream, body)
	if err != nil {
		return refusalOf(ctx, err)
	}
	var r struct {
		Error *struct {
			Code        int    `json:"code"`
			Description string `json:"description"`
		} `json:"error"`
	}
	if err := json.Unmarshal(m.Data, &r); err != nil {
		return "its answer cannot be read: " + err.Error()
	}
	if r.Error == nil || soundRefusal(r.Error.Description) || r.Error.Code == 404 {
		return ""
	}
	return r.Error.Description
}

func refusalOf(ctx context.Context, err error) string {
	if errors.Is(ctx.Err(), context.Canceled) || errors.Is(err, nats.ErrConnectionClosed) {
		return "" // we are being stopped
	}
	return err.Error()
}

// soundRefusal tells the answers of a stream that would have taken a write.
func soundRefusal(description string) bool {
	d := strings.ToLower(description)
	return strings.Contains(d, "store eof") || strings.Contains(d, "no message found") ||
		strings.Contains(d, "not permitted") || strings.Contains(d, "sealed")
}

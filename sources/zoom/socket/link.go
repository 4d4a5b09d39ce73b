package socket

import (
	"context"
	"errors"
	"fmt"
	"time"

	"zflow/internal/pause"
	"zflow/internal/zoomapi"
	"zflow/internal/zoomcatalog"
	"zflow/proto"
	"zflow/sources/zoom/event"

	"github.com/coder/websocket"
	"go.uber.org/zap"
)

// link is one connection.
type link struct {
	*Source
	conn  *websocket.Conn
	token zoomapi.Token
	gone  <-chan struct{} // closed when what is not stored is given up
	open  bool            // Zoom said that it is
}

// receive takes what comes until the connection ends, which it always does with an
// error.
func (l *link) receive(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer func() { _ = l.conn.CloseNow() }() // Zoom closes its end too
	go l.beat(ctx, cancel)
	for {
		within := silence
		if !l.open {
			within = dialTime
		}
		data, err := l.read(ctx, within)
		if err != nil {
			return err
		}
		if err := l.take(ctx, data); err != nil {
			return err
		}
	}
}

// beat tells Zoom that we live; a beat that cannot be written ends the connection.
func (l *link) beat(ctx context.Context, end context.CancelFunc) {
	defer end()
	for pause.For(ctx, beat) {
		within, cancel := context.WithTimeout(ctx, dialTime)
		err := l.conn.Write(within, websocket.MessageText, []byte(heartbeat))
		cancel()
		if err != nil {
			return
		}
	}
}

func (l *link) read(ctx context.Context, within time.Duration) ([]byte, error) {
	quiet, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	kind, data, err := l.conn.Read(quiet)
	switch {
	case err == nil && kind != websocket.MessageText:
		return nil, nil // counted as what it is not
	case err == nil:
		return data, nil
	case errors.Is(quiet.Err(), context.DeadlineExceeded):
		return nil, fmt.Errorf("it was silent for %s", within)
	case ctx.Err() != nil:
		return nil, ctx.Err()
	}
	return nil, fmt.Errorf("reading: %s", withoutToken(err, l.token.Access))
}

// take handles a frame; its error ends the connection.
func (l *link) take(ctx context.Context, data []byte) error {
	f, ok := readFrame(data)
	switch {
	case !ok:
		l.count(Malformed)
	case f.refusesToken():
		return errToken
	case f.refused():
		return fmt.Errorf("it is not opened: %.200s", f.text())
	case f.Module == moduleBuild:
		l.opened()
	case f.Module == moduleMessage:
		l.opened() // where Zoom did not say so
		return l.message(ctx, []byte(f.text()))
	case f.Module != moduleHeartbeat:
		l.count(Malformed)
	}
	return nil
}

func (l *link) opened() {
	if l.open {
		return
	}
	l.open = true
	l.began()
	l.Log.Info("the WebSocket is open")
	if l.Missed != nil {
		l.Missed()
	}
}

// message makes an event of a frame's content.
func (l *link) message(ctx context.Context, body []byte) error {
	now := time.Now()
	e, err := event.Read(body)
	if err != nil {
		l.count(Malformed)
		return nil
	}
	made, err := event.New(event.Delivery{App: l.App, Body: body, Origin: proto.FromWebSocket, ReceivedAt: now, Key: l.Key}, &e)
	switch {
	case err != nil:
		l.count(Malformed)
		return nil
	case int64(len(made.Body)) > l.most():
		l.count(Oversize)
		l.Log.Error("an event is too large to be stored", zap.String("event_type", made.Type), zap.Int("bytes", len(made.Body)))
		return nil
	}
	return l.enqueue(ctx, made)
}

// enqueue stores an event while the next is read. Reading waits once too much
// waits to be stored.
func (l *link) enqueue(ctx context.Context, e *proto.Event) error {
	size := min(1+len(e.Body)/portion, places)
	for taken := range size {
		select {
		case l.waiting <- struct{}{}:
		case <-ctx.Done():
			release(l.waiting, taken)
			return ctx.Err()
		}
	}
	go func() {
		defer release(l.waiting, size)
		l.storing <- struct{}{}
		defer func() { <-l.storing }()
		l.store(context.WithoutCancel(ctx), e)
	}()
	return nil
}

// store publishes until it is done, since nobody sends the event again, or the
// process ends.
func (l *link) store(ctx context.Context, e *proto.Event) {
	for wait := shortest / 4; ; wait = min(2*wait, longest/4) {
		within, cancel := context.WithTimeout(ctx, dialTime)
		ack, err := l.Publish(within, e)
		cancel()
		if err == nil {
			l.stored(e, ack.Duplicate)
			return
		}
		l.count(Unavailable)
		l.Log.Warn("an event is not stored yet", zap.String("event_id", e.ID), zap.String("event_type", e.Type), zap.Error(err))
		select {
		case <-l.gone:
			return
		case <-time.After(wait):
		}
	}
}

func (s *Source) stored(e *proto.Event, duplicate bool) {
	if _, known := zoomcatalog.Lookup(e.Type); !known {
		s.count(UnknownType)
	}
	if duplicate {
		s.count(Duplicate)
		return
	}
	s.count(Accepted)
}

package ask_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"zflow/internal/ask"
	"zflow/internal/natstest"
	"zflow/internal/sealed"
)

type in struct {
	N int `json:"n"`
}

func serve(t *testing.T, s *natstest.Server, verbs map[string]ask.Verb) *ask.Server {
	t.Helper()
	server, err := ask.Serve(s.Connect(t), "zflow.test.", verbs)
	if err != nil {
		t.Fatal(err)
	}
	return server
}

func double(_ context.Context, q in) (any, error) { return 2 * q.N, nil }

// TestAsk: one of two workers answers; errors and strange requests are words.
func TestAsk(t *testing.T) {
	s := natstest.Start(t)
	keys, err := sealed.GenerateKeys()
	if err != nil {
		t.Fatal(err)
	}
	marker := keys.Public().Seal("hush")
	verbs := map[string]ask.Verb{
		"double": ask.By(double),
		"fail":   ask.By(func(context.Context, in) (any, error) { return nil, errors.New("no " + marker) }),
	}
	nc := s.Connect(t)
	if _, err := ask.Call[int](t.Context(), nc, "zflow.test.double", in{3}); !errors.Is(err, ask.ErrNoWorker) {
		t.Errorf("nobody there: %v", err)
	}
	for range 2 {
		defer serve(t, s, verbs).Close()
	}
	if n, err := ask.Call[int](t.Context(), nc, "zflow.test.double", in{21}); n != 42 || err != nil {
		t.Errorf("got %d, %v", n, err)
	}
	for subject, want := range map[string]string{"fail": "no ••••", "other": `no request "other"`} {
		if _, err := ask.Call[int](t.Context(), nc, "zflow.test."+subject, in{}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", subject, err)
		}
	}
	if _, err := ask.Call[int](t.Context(), nc, "zflow.test.double", "text"); err == nil || !strings.Contains(err.Error(), "this version") {
		t.Errorf("a strange request: %v", err)
	}
	if _, err := ask.Call[string](t.Context(), nc, "zflow.test.double", in{1}); err == nil || !strings.Contains(err.Error(), "reading a worker's answer") {
		t.Errorf("a strange answer: %v", err)
	}
}

// TestLongWork: who asks waits for minutes while the worker works, and not when
// it has gone.
func TestLongWork(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		natstest.VirtualTime(t)
		s := natstest.Start(t)
		begun := make(chan struct{}, 2)
		server := serve(t, s, map[string]ask.Verb{"long": ask.By(func(ctx context.Context, q in) (any, error) {
			begun <- struct{}{}
			select {
			case <-time.After(time.Duration(q.N) * time.Minute):
				return q.N, nil
			case <-ctx.Done():
				return nil, errors.New("the worker stops")
			}
		})})
		nc := s.Connect(t)
		if n, err := ask.Call[int](t.Context(), nc, "zflow.test.long", in{7}); n != 7 || err != nil {
			t.Errorf("got %d, %v", n, err)
		}
		<-begun
		ended := make(chan error, 1)
		go func() {
			_, err := ask.Call[int](context.Background(), nc, "zflow.test.long", in{7})
			ended <- err
		}()
		<-begun
		server.Close()
		if err := <-ended; err == nil || !strings.Contains(err.Error(), "the worker stops") {
			t.Errorf("ended with %v", err)
		}
	})
}

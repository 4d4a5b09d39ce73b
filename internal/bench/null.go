package bench

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"

	"zflow/internal/bench/load"
)

// null takes a webhook, answers, and makes the run's calls. It checks nothing,
// keeps nothing, and forgets a run at the first error: what the calls cost
// without a workflow engine.
type null struct {
	api    string
	client *http.Client
	server *http.Server
	url    string
}

func startNull(o order) (served, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("starting the null pipeline: %w", err)
	}
	n := &null{api: o.API, url: "http://" + l.Addr().String()}
	n.client = &http.Client{Transport: &http.Transport{MaxIdleConns: 2048, MaxIdleConnsPerHost: 512}}
	n.server = &http.Server{Handler: n, ReadHeaderTimeout: 5 * time.Second}
	go n.server.Serve(l) //nolint:errcheck // without it every webhook is refused, which the load reports
	return n, nil
}

func (n *null) report() report { return report{Webhooks: n.url} }

// failed never comes: whoever sends sees refusals.
func (n *null) failed() <-chan error { return nil }

func (n *null) close() { _ = n.server.Close() } // what is under way is nobody's loss

// ServeHTTP takes one webhook.
func (n *null) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	var event struct {
		Payload struct {
			Object struct {
				UUID string `json:"uuid"`
			} `json:"object"`
		} `json:"payload"`
	}
	if err == nil {
		err = json.Unmarshal(body, &event)
	}
	if err != nil {
		http.Error(w, "not understood", http.StatusBadRequest)
		return
	}
	go n.run(event.Payload.Object.UUID)
	w.WriteHeader(http.StatusNoContent)
}

func (n *null) run(id string) {
	for i, name := range []string{"one", "two", "three"} {
		body, err := json.Marshal(load.Call{Run: id, Step: i + 1})
		if err != nil || n.call(n.api+"/"+name, body) != nil {
			return // nobody keeps it
		}
	}
}

func (n *null) call(url string, body []byte) error {
	req, err := http.NewRequestWithContext(context.Background(), http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	res, err := n.client.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	raw, err := io.ReadAll(res.Body)
	if err != nil {
		return err
	}
	var answer map[string]any
	return json.Unmarshal(raw, &answer)
}

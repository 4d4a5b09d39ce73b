package connection

import (
	"context"
	"errors"
	"fmt"
	"html/template"
	"net"
	"net/http"
	"time"

	"zflow/internal/connections"
	"zflow/internal/connections/desk"
	"zflow/internal/terminal"
)

// callback is where the browser comes back to.
const callback = "/oauth/callback"

// outcome is what came of a call-back.
type outcome struct {
	record connections.Record
	err    error
}

// loopback waits at this machine for the browser to come back.
func (sh *shell) loopback(ctx context.Context, d *desk.Client, a *asked) (connections.Record, error) {
	l, err := listen(a.listen)
	if err != nil {
		return connections.Record{}, err
	}
	redirect := "http://" + at(a.listen, l.Addr().String()) + callback
	b, err := d.Begin(ctx, desk.Begin{Wanted: a.Wanted, Redirect: redirect})
	if err != nil {
		return connections.Record{}, errors.Join(err, l.Close())
	}
	sh.Say("open this in a browser on this machine, and allow the app (its list of call-back addresses must have %s):\n\n  %s\n", redirect, b.URL)
	ctx, cancel := context.WithTimeout(ctx, a.patience(b))
	defer cancel()
	came := make(chan outcome, 1)
	server := &http.Server{Handler: comesBack(b.State, d.Finish, came), ReadHeaderTimeout: 10 * time.Second}
	go func() { _ = server.Serve(l) }() // until it is shut down below
	defer shutdown(server)
	select {
	case o := <-came:
		return o.record, o.err
	case <-ctx.Done():
		return connections.Record{}, fmt.Errorf("waiting for the consent: %w", tooLate(ctx))
	}
}

// listen refuses addresses that others can reach.
func listen(address string) (net.Listener, error) {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return nil, terminal.Misused("--listen is like 127.0.0.1:8765")
	}
	if ip := net.ParseIP(host); host != "localhost" && (ip == nil || !ip.IsLoopback()) {
		return nil, terminal.Misused("--listen must be a loopback address: the code that comes back is a secret")
	}
	l, err := net.Listen("tcp", address)
	if err != nil {
		return nil, fmt.Errorf("waiting for the browser: %w: give another --listen address, and add it to the app's allow list", err)
	}
	return l, nil
}

// shutdown lets the page that tells the outcome arrive.
func shutdown(server *http.Server) {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	_ = server.Shutdown(ctx) // nothing is lost with it
}

var page = template.Must(template.New("").Parse(`<!doctype html><meta charset="utf-8"><title>zflow</title><p>{{.}}</p><p>You can close this page.</p>
`))

// comesBack takes the one call-back that has our state.
func comesBack(state string, finish func(context.Context, connections.Answer) (connections.Record, error), came chan<- outcome) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+callback, func(w http.ResponseWriter, r *http.Request) {
		q := r.URL.Query()
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.Header().Set("Cache-Control", "no-store")
		w.Header().Set("Referrer-Policy", "no-referrer")
		if q.Get("state") != state {
			w.WriteHeader(http.StatusBadRequest)
			_ = page.Execute(w, "This call-back is not of the authorization that waits here: its state is another. Nothing was changed.")
			return
		}
		record, err := finish(r.Context(), connections.Answer{State: state, Code: q.Get("code"), Error: q.Get("error"), Description: q.Get("error_description")})
		text := "Connected: " + record.Name
		if err != nil {
			w.WriteHeader(http.StatusBadRequest)
			text = err.Error()
		}
		_ = page.Execute(w, text) // whether it is seen or not
		select {
		case came <- outcome{record, err}:
		default: // the page was loaded again
		}
	})
	return mux
}

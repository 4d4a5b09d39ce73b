package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"time"
)

// healthWithin is how long a process may take to say that it is well.
const healthWithin = 3 * time.Second

// AskHealth asks /healthz at the address that a process of this machine serves
// its metrics at. It is for container health checks, which need no other program
// in the image then.
func AskHealth(ctx context.Context, metricsListen string) error {
	if metricsListen == "" {
		return errors.New("asking for health: the process serves none, since its metrics_listen is empty")
	}
	host, port, err := net.SplitHostPort(metricsListen)
	if err != nil {
		return fmt.Errorf("asking for health: %w", err)
	}
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		host = "localhost" // it listens at every address
	}
	ctx, cancel := context.WithTimeout(ctx, healthWithin)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+net.JoinHostPort(host, port)+"/healthz", nil)
	if err != nil {
		return fmt.Errorf("asking for health: %w", err)
	}
	// Not the default client: a proxy of the environment is none for loopback.
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	answer, err := client.Do(r)
	if err != nil {
		return fmt.Errorf("asking for health: %w", err)
	}
	defer func() { _ = answer.Body.Close() }() // what counts has been read
	if answer.StatusCode != http.StatusOK {
		why, _ := io.ReadAll(io.LimitReader(answer.Body, 512)) // whatever came of it
		return fmt.Errorf("asking for health: %s: %s", answer.Status, strings.TrimSpace(string(why)))
	}
	return nil
}

package durable_test

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"zflow/internal/durable"
	"zflow/internal/natstest"
	"zflow/proto"
)

// TestReplicated runs against three servers.
func TestReplicated(t *testing.T) {
	servers := cluster(t)
	nc := connect(t, servers[0].URL(), nats.Timeout(5*time.Second))
	js := natstest.JetStream(t, nc)
	three, one := events, jetstream.StreamConfig{Name: proto.Runs, Subjects: []string{"zflow.run.>"}}
	three.Replicas = 3
	awaitStream(t, js, three)
	awaitStream(t, js, one)

	if _, err := durable.Open(t.Context(), nc, durable.Options{Find: time.Millisecond}); err == nil {
		t.Error("Open without a declaration = nil")
	}
	g, err := durable.Open(t.Context(), nc, durable.Options{Declared: durable.Replicated, Streams: []string{proto.Events}})
	if err != nil {
		t.Fatal(err)
	}
	if g.Mode() != durable.Replicated || !strings.Contains(g.Warning(), "replicated") {
		t.Errorf("mode %s, warning %q", g.Mode(), g.Warning())
	}
	m := g.Mark()
	publish(t, js)
	if err := g.Pass(t.Context(), proto.Events, m); err != nil {
		t.Errorf("Pass = %v", err)
	}
	if err := g.Pass(t.Context(), proto.Runs, m); err == nil || !strings.Contains(err.Error(), "it has 1 replica(s)") {
		t.Errorf("Pass of a stream with one replica = %v", err)
	}
	back := make(chan struct{})
	nc.SetReconnectHandler(func(*nats.Conn) { close(back) })
	if err := nc.ForceReconnect(); err != nil {
		t.Fatal(err)
	}
	<-back
	if err := g.Pass(t.Context(), proto.Events, m); !errors.Is(err, durable.ErrChanged) {
		t.Errorf("Pass after a reconnect = %v, want ErrChanged", err)
	}
}

func cluster(t *testing.T) (servers []*natstest.Server) {
	t.Helper()
	var routes []*url.URL
	var ports []int
	for range 3 {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		ports = append(ports, l.Addr().(*net.TCPAddr).Port)
		routes = append(routes, &url.URL{Scheme: "nats", Host: l.Addr().String()})
		_ = l.Close()
	}
	for i, port := range ports {
		servers = append(servers, natstest.Start(t, natstest.Listen, natstest.NoFlusher, natstest.Configure(func(o *server.Options) {
			o.ServerName = fmt.Sprintf("s%d", i)
			o.Cluster = server.ClusterOpts{Name: "c", Host: "127.0.0.1", Port: port}
			o.Routes = routes
		})))
	}
	return servers
}

// awaitStream makes a stream as soon as the cluster has a leader.
func awaitStream(t *testing.T, js jetstream.JetStream, c jetstream.StreamConfig) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); ; {
		_, err := js.CreateStream(t.Context(), c)
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("making stream %s: %v", c.Name, err)
		}
	}
}

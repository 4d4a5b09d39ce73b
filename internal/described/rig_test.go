package described_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"io"
	"math/big"
	"net"
	nethttp "net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"zflow/actions"
	"zflow/actions/http"
	"zflow/internal/described"
)

// hosts are those that descriptions call, or that tests make up.
var hosts = []string{
	"slack.com", "files.slack.com", "teams.example.org", "discord.com", "sheets.googleapis.com", "api.notion.com", "api.github.com",
	"api.openai.com", "llm.example.org", "api.telegram.org", "crm.example.org", "prod-01.westus.logic.azure.com",
}

// certificate is one for all hosts.
var certificate = sync.OnceValue(func() tls.Certificate {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		panic(err)
	}
	of := &x509.Certificate{SerialNumber: big.NewInt(7), NotAfter: time.Now().Add(time.Hour), DNSNames: hosts, IsCA: true, BasicConstraintsValid: true}
	der, err := x509.CreateCertificate(rand.Reader, of, of, key.Public(), key)
	if err != nil {
		panic(err)
	}
	leaf, _ := x509.ParseCertificate(der)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: leaf}
})

// world is a client for which every host is the server at base.
func world(t *testing.T, base string, o http.Options) *http.Client {
	t.Helper()
	to := strings.TrimPrefix(base, "http://")
	proxy := httptest.NewServer(nethttp.HandlerFunc(func(w nethttp.ResponseWriter, r *nethttp.Request) {
		there, err := net.Dial("tcp", to)
		if err != nil || r.Method != nethttp.MethodConnect {
			w.WriteHeader(502)
			return
		}
		here, _, err := nethttp.NewResponseController(w).Hijack()
		if err != nil {
			there.Close()
			return
		}
		io.WriteString(here, "HTTP/1.1 200 OK\r\n\r\n")
		inside := tls.Server(here, &tls.Config{Certificates: []tls.Certificate{certificate()}})
		go func() { io.Copy(there, inside); there.Close() }()
		go func() { io.Copy(inside, there); inside.Close() }()
	}))
	t.Cleanup(proxy.Close)
	o.Proxy, _ = url.Parse(proxy.URL)
	roots := x509.NewCertPool()
	roots.AddCert(certificate().Leaf)
	o.TLS = &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}
	o.Allow = append(o.Allow, hosts...)
	c, err := http.New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

func named(t *testing.T, c *http.Client, name string) *actions.Action {
	t.Helper()
	src, err := os.ReadFile("family/" + name + ".yaml")
	if err != nil {
		t.Fatal(err)
	}
	a, problems := described.Read(name, src, c)
	if a == nil {
		t.Fatal(problems)
	}
	return a
}

// connection gives out one credential, under one name.
func connection(name string, c http.Credential) func(context.Context, string) (http.Credential, error) {
	return func(_ context.Context, asked string) (http.Credential, error) {
		if asked != name {
			return c, actions.Final("there is no connection %s", asked)
		}
		return c, nil
	}
}

package http_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	nethttp "net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"zflow/actions"
	"zflow/actions/http"
)

// clientCertificate writes a certificate and its key.
func clientCertificate(t *testing.T) http.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	of := &x509.Certificate{SerialNumber: big.NewInt(7), NotAfter: time.Now().Add(time.Hour), ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}}
	der, err := x509.CreateCertificate(rand.Reader, of, of, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	c := http.Certificate{File: filepath.Join(dir, "crt"), Key: filepath.Join(dir, "key")}
	for path, block := range map[string]*pem.Block{c.File: {Type: "CERTIFICATE", Bytes: der}, c.Key: {Type: "PRIVATE KEY", Bytes: secret}} {
		if err := os.WriteFile(path, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return c
}

func TestClientCertificate(t *testing.T) {
	var presented []int
	server := httptest.NewUnstartedServer(nethttp.HandlerFunc(func(_ nethttp.ResponseWriter, r *nethttp.Request) {
		presented = append(presented, len(r.TLS.PeerCertificates))
	}))
	server.TLS = &tls.Config{ClientAuth: tls.RequestClientCert, MinVersion: tls.VersionTLS12}
	server.StartTLS()
	defer server.Close()
	roots := x509.NewCertPool()
	roots.AddCert(server.Certificate())
	c, err := http.New(http.Options{Allow: []string{"127.0.0.1"}, TLS: &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12},
		Certificates: map[string]http.Certificate{"school": clientCertificate(t)}})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	for _, input := range []map[string]any{{"certificate": "school"}, {}} {
		input["url"] = server.URL
		if _, err := call(t, c.Action(), input); err != nil {
			t.Error(err)
		}
	}
	if fmt.Sprint(presented) != "[1 0]" {
		t.Errorf("presented %v", presented)
	}
	if _, err := call(t, c.Action(), map[string]any{"url": server.URL, "certificate": "office"}); err == nil || !strings.Contains(err.Message, "http.certificates") {
		t.Errorf("a name that is not there: %v", err)
	}
	if _, err := http.New(http.Options{Certificates: map[string]http.Certificate{"x": {File: "none", Key: "none"}}}); err == nil {
		t.Error("a certificate that is not there was taken")
	}
}

// A proxy is used, but for what may not be called.
func TestProxy(t *testing.T) {
	var through []string
	proxy := httptest.NewServer(nethttp.HandlerFunc(func(_ nethttp.ResponseWriter, r *nethttp.Request) { through = append(through, r.URL.Host) }))
	defer proxy.Close()
	at, _ := url.Parse(proxy.URL)
	c, err := http.New(http.Options{Allow: []string{"inside.example.org"}, Proxy: at})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	for address, ok := range map[string]bool{"http://9.9.9.9/x": true, "http://inside.example.org/": true, "http://127.0.0.1:1/": false, "http://169.254.169.254/": false, "http://[::1]/": false} {
		_, err := call(t, c.Action(), map[string]any{"url": address})
		if ok != (err == nil) || err != nil && err.Class != actions.ClassFinal {
			t.Errorf("%s: %v", address, err)
		}
	}
	if len(through) != 2 {
		t.Errorf("the proxy got %v", through)
	}
}

// nameServer answers every question for an address with the next of a list.
func nameServer(t *testing.T, answers ...[4]byte) {
	t.Helper()
	pc, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		asked := 0
		for buf := make([]byte, 512); ; {
			n, from, err := pc.ReadFrom(buf)
			if err != nil {
				return
			}
			end := 12
			for buf[end] != 0 {
				end += int(buf[end]) + 1
			}
			end += 5
			answer := append([]byte{buf[0], buf[1], 0x81, 0x80, 0, 1, 0, 0, 0, 0, 0, 0}, buf[12:min(end, n)]...)
			if buf[end-3] == 1 { // A
				ip := answers[min(asked, len(answers)-1)]
				asked++
				answer[7] = 1
				answer = append(append(answer, 0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 0, 0, 4), ip[:]...)
			}
			pc.WriteTo(answer, from)
		}
	}()
	before := net.DefaultResolver
	var d net.Dialer
	at := pc.LocalAddr().String()
	net.DefaultResolver = &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) { return d.DialContext(ctx, "udp", at) }}
	t.Cleanup(func() { net.DefaultResolver = before; pc.Close() })
}

// A name that is public when it is first asked for, and inside later.
func TestRebindingName(t *testing.T) {
	inside := 0
	server := httptest.NewServer(nethttp.HandlerFunc(func(nethttp.ResponseWriter, *nethttp.Request) { inside++ }))
	defer server.Close()
	port := hostOf(t, server.URL)[len("127.0.0.1"):]
	for name, answers := range map[string][][4]byte{
		"inside at once":  {{127, 0, 0, 1}},
		"metadata":        {{169, 254, 169, 254}},
		"zero":            {{0, 0, 0, 0}},
		"inside later on": {{127, 0, 0, 1}, {9, 9, 9, 9}},
	} {
		t.Run(name, func(t *testing.T) {
			nameServer(t, answers...)
			_, err := call(t, newAction(t), map[string]any{"method": "POST", "url": "http://rebind.example.org" + port})
			if err == nil || err.Class != actions.ClassFinal || !strings.Contains(err.Message, "http_allow") || inside != 0 {
				t.Errorf("%v, %d calls inside", err, inside)
			}
		})
	}
	t.Run("listed", func(t *testing.T) {
		nameServer(t, [4]byte{127, 0, 0, 1})
		if _, err := call(t, newAction(t, "rebind.example.org"), map[string]any{"url": "http://rebind.example.org" + port}); err != nil || inside != 1 {
			t.Errorf("%v, %d calls inside", err, inside)
		}
	})
}

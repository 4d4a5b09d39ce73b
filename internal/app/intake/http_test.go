package intake

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"io"
	"math/big"
	"net"
	"net/http"
	"net/smtp"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"zflow/internal/natstest"
	"zflow/internal/settings"
	"zflow/proto"

	"go.uber.org/zap"
)

// client returns one that speaks only these protocols.
func client(t *testing.T, change func(*http.Transport)) *http.Client {
	t.Helper()
	transport := &http.Transport{Protocols: new(http.Protocols)}
	change(transport)
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport}
}

func send(t *testing.T, c *http.Client, url, body string) *http.Response {
	t.Helper()
	r, err := http.NewRequest("POST", url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header = headers(body)
	w, err := c.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	_, _ = io.Copy(io.Discard, w.Body)
	_ = w.Body.Close()
	return w
}

func TestHTTP2WithoutTLS(t *testing.T) {
	in := startIntake(t, ingestConfig(t, natstest.Start(t, natstest.Listen).URL()))
	<-in.Opened()
	c := client(t, func(t *http.Transport) { t.Protocols.SetUnencryptedHTTP2(true) })
	if w := send(t, c, "http://"+in.Addr()+"/hooks/zoom/main", hook(1)); w.StatusCode != 204 || w.ProtoMajor != 2 {
		t.Errorf("%s %s", w.Proto, w.Status)
	}
	if w := send(t, c, "http://"+in.Addr()+"/hooks/zoom/main", hook(1)+"x"); w.StatusCode != 400 {
		t.Errorf("%s", w.Status)
	}
}

// pair writes a new certificate of its own, and returns what trusts it.
func pair(t *testing.T, files settings.TLS, serial int64) *x509.CertPool {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	form := &x509.Certificate{SerialNumber: big.NewInt(serial), NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature}
	der, err := x509.CreateCertificate(rand.Reader, form, form, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	for file, block := range map[string]*pem.Block{files.Certificate: {Type: "CERTIFICATE", Bytes: der}, files.Key: {Type: "PRIVATE KEY", Bytes: secret}} {
		if err := os.WriteFile(file, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(cert)
	return pool
}

func TestTLS(t *testing.T) {
	dir := t.TempDir()
	c := ingestConfig(t, natstest.Start(t, natstest.Listen).URL())
	c.TLS = settings.TLS{Certificate: filepath.Join(dir, "cert.pem"), Key: filepath.Join(dir, "key.pem")}
	if in, err := New(c, zap.NewNop()); err == nil {
		in.close()
		t.Fatal("started without its certificate")
	}
	pool := pair(t, c.TLS, 1)
	in := startIntake(t, c)
	<-in.Opened()
	trusting := client(t, func(t *http.Transport) {
		t.Protocols.SetHTTP2(true)
		t.TLSClientConfig = &tls.Config{RootCAs: pool}
	})
	if w := send(t, trusting, "https://"+in.Addr()+"/hooks/zoom/main", hook(1)); w.StatusCode != 204 || w.ProtoMajor != 2 {
		t.Errorf("%s %s", w.Proto, w.Status)
	}
	old, err := tls.Dial("tcp", in.Addr(), &tls.Config{RootCAs: pool, MaxVersion: tls.VersionTLS11})
	if err == nil {
		old.Close()
		t.Error("TLS 1.1 is spoken")
	}
}

// TestACertificateIsRenewed: without a restart; one that is half written leaves the
// last in use.
func TestACertificateIsRenewed(t *testing.T) {
	dir := t.TempDir()
	k := &certificate{files: settings.TLS{Certificate: filepath.Join(dir, "cert.pem"), Key: filepath.Join(dir, "key.pem")}, log: zap.NewNop()}
	serial := func() int64 {
		t.Helper()
		k.looked = time.Time{} // a minute ago
		c, err := k.get(nil)
		if err != nil {
			t.Fatal(err)
		}
		return c.Leaf.SerialNumber.Int64()
	}
	pair(t, k.files, 1)
	if err := k.load(); err != nil {
		t.Fatal(err)
	}
	touch := func(after time.Duration) {
		if err := os.Chtimes(k.files.Key, time.Time{}, time.Now().Add(after)); err != nil {
			t.Fatal(err)
		}
	}
	pair(t, k.files, 2)
	touch(time.Second)
	if n := serial(); n != 2 {
		t.Errorf("certificate %d is served after the renewal", n)
	}
	if err := os.WriteFile(k.files.Certificate, []byte("-----BEGIN"), 0o600); err != nil {
		t.Fatal(err)
	}
	touch(2 * time.Second)
	if n := serial(); n != 2 {
		t.Errorf("certificate %d is served while the next is written", n)
	}
	if err := os.Remove(k.files.Key); err != nil {
		t.Fatal(err)
	}
	if n := serial(); n != 2 {
		t.Errorf("certificate %d is served without its key's file", n)
	}
}

func TestDomainVerification(t *testing.T) {
	c := ingestConfig(t, "nats://127.0.0.1:1")
	c.Verification = "0a1b2c"
	in := startIntake(t, c)
	w, err := http.Get("http://" + in.Addr() + "/zoomverify/verifyzoom.html")
	if err != nil {
		t.Fatal(err)
	}
	defer w.Body.Close()
	if text, _ := io.ReadAll(w.Body); w.StatusCode != 200 || string(text) != "0a1b2c" {
		t.Errorf("%s %s", w.Status, text)
	}
	without := startIntake(t, ingestConfig(t, "nats://127.0.0.1:1"))
	if w, err := http.Get("http://" + without.Addr() + "/zoomverify/verifyzoom.html"); err != nil || w.StatusCode != 404 {
		t.Errorf("without one: %v, %v", w, err)
	}
}

// pool sends as Zoom does through a load balancer: to whoever takes the request,
// and again after a 5xx or no answer.
type pool struct {
	mu      sync.Mutex
	members []string
	again   atomic.Int64
}

func (p *pool) set(i int, address string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.members[i] = address
}

func (p *pool) deliver(t *testing.T, n int) {
	for try := n; ; try++ {
		p.mu.Lock()
		address := p.members[try%len(p.members)]
		p.mu.Unlock()
		body := hook(n)
		r, err := http.NewRequest("POST", "http://"+address+"/hooks/zoom/main", strings.NewReader(body))
		if err != nil {
			t.Error(err)
			return
		}
		r.Header = headers(body)
		w, err := http.DefaultTransport.RoundTrip(r)
		if err == nil {
			_ = w.Body.Close()
			if w.StatusCode == 204 {
				return
			}
			if w.StatusCode < 500 {
				t.Errorf("event %d is answered %s, which Zoom does not send again", n, w.Status)
				return
			}
		}
		p.again.Add(1)
	}
}

// TestARollingRestartLosesNothing: two ingests, one after the other stopped and
// started while events come in; each is stored, and once.
func TestARollingRestartLosesNothing(t *testing.T) {
	const events, senders = 1200, 6
	server := natstest.Start(t, natstest.Listen)
	c := ingestConfig(t, server.URL())
	two := []*intake{startIntake(t, c), startIntake(t, c)}
	p := &pool{members: make([]string, len(two))}
	for i, in := range two {
		<-in.Opened()
		p.set(i, in.Addr())
	}
	var next, done atomic.Int64
	var work sync.WaitGroup
	for range senders {
		work.Go(func() {
			for n := int(next.Add(1)); n <= events; n = int(next.Add(1)) {
				p.deliver(t, n)
				done.Add(1)
			}
		})
	}
	sent := make(chan struct{})
	go func() { work.Wait(); close(sent) }()
	restarts := restart(t, c, two, p, sent)
	state, err := server.JetStream(t).Stream(t.Context(), proto.Events)
	if err != nil {
		t.Fatal(err)
	}
	if info, err := state.Info(t.Context()); err != nil || info.State.Msgs != events {
		t.Errorf("%d of %d events are stored, %v", info.State.Msgs, events, err)
	}
	t.Logf("%d restarts, %d deliveries made again", restarts, p.again.Load())
	if restarts < 2 {
		t.Error("the events were through before both were restarted")
	}
}

// restart restarts one after the other until all is sent.
func restart(t *testing.T, c Config, two []*intake, p *pool, sent chan struct{}) (restarts int) {
	t.Helper()
	for {
		for i := range two {
			select {
			case <-sent:
				return restarts
			default:
			}
			two[i].stop()
			if err := <-two[i].ended; err != nil {
				t.Errorf("ended with %v", err)
			}
			two[i].ended <- nil
			two[i] = startIntake(t, c)
			ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
			select {
			case <-two[i].Opened():
			case <-ctx.Done():
				t.Error("it did not open")
			}
			cancel()
			p.set(i, two[i].Addr())
			restarts++
		}
	}
}

// TestMailOverTLS: the server for mail has the certificate of ingest, offers STARTTLS and
// says nothing over an older TLS than 1.2.
func TestMailOverTLS(t *testing.T) {
	dir := t.TempDir()
	c := ingestConfig(t, "nats://127.0.0.1:1")
	c.TLS = settings.TLS{Certificate: filepath.Join(dir, "cert.pem"), Key: filepath.Join(dir, "key.pem")}
	pool := pair(t, c.TLS, 1)
	c.Mail = Mail{Listen: "127.0.0.1:0", Name: "mail.example.org", Domains: []string{"example.org"}}
	in := startIntake(t, c)
	for _, v := range []uint16{tls.VersionTLS11, tls.VersionTLS12, tls.VersionTLS13} {
		m, err := smtp.Dial(in.MailAddr())
		if err != nil {
			t.Fatal(err)
		}
		err = m.StartTLS(&tls.Config{RootCAs: pool, ServerName: "127.0.0.1", MinVersion: tls.VersionTLS11, MaxVersion: v})
		if (err == nil) != (v > tls.VersionTLS11) {
			t.Errorf("%s: %v", tls.VersionName(v), err)
		}
		if err == nil {
			if err := m.Mail("ada@example.net"); err != nil {
				t.Error(err)
			}
			// Nobody knows which mailboxes there are: it is to come again, and no other domain's is taken.
			if err := m.Rcpt("desk@example.org"); err == nil || !strings.HasPrefix(err.Error(), "451") {
				t.Errorf("a mailbox without NATS: %v", err)
			}
			if err := m.Rcpt("desk@example.com"); err == nil || !strings.HasPrefix(err.Error(), "550") {
				t.Errorf("another domain: %v", err)
			}
		}
		_ = m.Close()
	}
}

package imap

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"math/big"
	"net"
	"strings"
	"testing"
	"time"
)

// authority is a CA of somebody's own, and a certificate of it for a name or address.
func authority(t *testing.T, name string) (*x509.CertPool, *tls.Config) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(t, err)
	ca := &x509.Certificate{SerialNumber: big.NewInt(1), IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign, NotAfter: time.Now().Add(time.Hour)}
	raw, err := x509.CreateCertificate(rand.Reader, ca, ca, key.Public(), key)
	must(t, err)
	signed, err := x509.ParseCertificate(raw)
	must(t, err)
	form := &x509.Certificate{SerialNumber: big.NewInt(2), NotAfter: time.Now().Add(time.Hour)}
	if ip := net.ParseIP(name); ip != nil {
		form.IPAddresses = []net.IP{ip}
	} else {
		form.DNSNames = []string{name}
	}
	raw, err = x509.CreateCertificate(rand.Reader, form, signed, key.Public(), key)
	must(t, err)
	pool := x509.NewCertPool()
	pool.AddCert(signed)
	return pool, &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{raw}, PrivateKey: key}}}
}

// secured is an office whose server speaks TLS so: implicit, starttls or none.
func secured(t *testing.T, mode string, c *tls.Config) *office {
	t.Helper()
	o := newOffice(t)
	_ = o.server.Close()
	if mode == "starttls" {
		o.secure = c
	}
	if o.serve(); mode == "implicit" {
		_ = o.listen.Close()
		l, err := tls.Listen("tcp", "127.0.0.1:0", c)
		must(t, err)
		o.listen = l
		server := o.server
		go func() { _ = server.Serve(l) }()
	}
	o.config.Address = o.listen.Addr().String()
	return o
}

// Over TLS from the first byte and over STARTTLS a mailbox is read, where the certificate
// is of a CA that is trusted and for the server's name.
func TestTLS(t *testing.T) {
	for _, mode := range []string{"implicit", "starttls"} {
		roots, c := authority(t, "127.0.0.1")
		o := secured(t, mode, c)
		o.config.Secure, o.config.TLS = mode, &tls.Config{RootCAs: roots}
		r, _ := o.run()
		o.looked(r)
		o.put("INBOX", letter("one"))
		o.want("one")
	}
}

// What is wrong with TLS is said with what to do, and no password goes out.
func TestTLSThatIsNone(t *testing.T) {
	for name, c := range map[string]struct{ server, client, certificate, want string }{
		"a CA of one's own":           {"implicit", "implicit", "127.0.0.1", "certificate signed by unknown authority; where it is of a CA of your own, put that CA's certificate into a folder and name the folder in SSL_CERT_DIR"},
		"a CA of one's own, STARTTLS": {"starttls", "starttls", "127.0.0.1", "name the folder in SSL_CERT_DIR"},
		"another name":                {"implicit", "implicit", "mail.example.org", "the server's certificate is not trusted: x509: "},
		"another name, STARTTLS":      {"starttls", "starttls", "mail.example.org", "the server's certificate is not trusted: x509: "},
		"no TLS":                      {"none", "implicit", "127.0.0.1", "the server speaks no TLS at this port: set tls to starttls"},
		"no STARTTLS":                 {"none", "starttls", "127.0.0.1", "cannot be reached by starttls: "},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			roots, serves := authority(t, c.certificate)
			o := secured(t, c.server, serves)
			o.config.Secure = c.client
			if o.config.TLS = (&tls.Config{RootCAs: roots}); strings.HasPrefix(name, "a CA") {
				o.config.TLS = nil
			}
			r, stop := o.run()
			o.until("the problem", func() bool { return r.Stats().Problem != "" })
			if got := r.Stats().Problem; !strings.Contains(got, c.want) {
				t.Errorf("%s", got)
			}
			if stop(); !r.Stats().Looked.IsZero() {
				t.Error("the mailbox was read all the same")
			}
		})
	}
}

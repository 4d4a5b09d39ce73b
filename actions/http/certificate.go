package http

import (
	"context"
	"crypto/tls"
	"net"
	nethttp "net/http"
	"net/netip"
	"net/url"
)

// Certificate is what a client presents to servers that ask for one. Its files are
// read at each handshake, so that a renewed one is taken without a restart.
type Certificate struct{ File, Key string }

func (c Certificate) load() (*tls.Certificate, error) {
	pair, err := tls.LoadX509KeyPair(c.File, c.Key)
	return &pair, err
}

// through sends everything to a proxy but what is not public: there the proxy would
// do what we refuse. The proxy resolves names again, so it should refuse such
// addresses too.
func (g *guard) through(proxy *url.URL) func(*nethttp.Request) (*url.URL, error) {
	return func(r *nethttp.Request) (*url.URL, error) { return proxy, g.check(r.Context(), r.URL) }
}

// check refuses an address that is not public and not listed.
func (g *guard) check(ctx context.Context, u *url.URL) error {
	port := u.Port()
	if port == "" {
		port = map[string]string{"http": "80", "https": "443"}[u.Scheme]
	}
	if g.listed(net.JoinHostPort(u.Hostname(), port)) {
		return nil
	}
	found, err := net.DefaultResolver.LookupNetIP(ctx, "ip", u.Hostname())
	for _, a := range found {
		if err := g.control("", netip.AddrPortFrom(a, 1).String(), nil); err != nil {
			return err
		}
	}
	return err
}

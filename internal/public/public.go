// Package public makes the addresses that others see, and finds out who asks.
//
// Obligations:
//
//  1. An address is made from the configured one alone. What a request says of its
//     host, or a proxy of it, changes nothing.
//  2. A client is who connected, unless that is a trusted proxy: then it is the
//     last address of X-Forwarded-For that is no trusted proxy.
package public

import (
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"strings"
)

// Site is an installation as others see it.
type Site struct {
	base    string
	proxies []netip.Prefix
}

// NewSite returns the site of a public URL ("": none) and the CIDRs of trusted
// proxies.
func NewSite(url string, proxies []string) (Site, error) {
	s := Site{base: strings.TrimRight(url, "/")}
	for _, cidr := range proxies {
		p, err := netip.ParsePrefix(cidr)
		if err != nil {
			return Site{}, fmt.Errorf("reading the trusted proxies: %w", err)
		}
		s.proxies = append(s.proxies, p.Masked())
	}
	return s, nil
}

// URL returns the address of a path ("/oauth/callback"); empty where the site has
// no public URL.
func (s Site) URL(path string) string {
	if s.base == "" {
		return ""
	}
	return s.base + path
}

// Client returns who sent a request; the zero Addr where that cannot be told.
func (s Site) Client(r *http.Request) netip.Addr {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		host = r.RemoteAddr
	}
	client := address(host)
	hops := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	for i := len(hops) - 1; i >= 0 && s.trusts(client); i-- {
		before := address(hops[i])
		if !before.IsValid() {
			break // what stands further left was written by whoever wrote this
		}
		client = before
	}
	return client
}

func address(text string) netip.Addr {
	a, err := netip.ParseAddr(strings.TrimSpace(text))
	if err != nil {
		return netip.Addr{}
	}
	return a.Unmap().WithZone("")
}

func (s Site) trusts(a netip.Addr) bool {
	for _, p := range s.proxies {
		if p.Contains(a) {
			return true
		}
	}
	return false
}

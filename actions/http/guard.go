package http

import (
	"context"
	"fmt"
	"net"
	nethttp "net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"syscall"
	"time"
)

// refused is the error of an address that policy keeps us from.
type refused struct{ address string }

func (r *refused) Error() string {
	return "the address " + r.address + " is not public; list it in http_allow to permit it"
}

// guard decides which addresses may be dialed.
type guard struct {
	hosts    map[string]bool // host or host:port, lower case
	suffixes []string        // .example.org, of *.example.org
	networks []netip.Prefix
	open     net.Dialer // for hosts that are listed
	checked  net.Dialer // for all others
}

// newGuard reads an allow-list: hosts, host:port, *.domain, addresses, CIDRs.
func newGuard(allow []string) (*guard, error) {
	g := &guard{hosts: map[string]bool{}}
	for _, entry := range allow {
		if err := g.allow(strings.ToLower(strings.TrimSpace(entry))); err != nil {
			return nil, err
		}
	}
	g.open = net.Dialer{Timeout: 10 * time.Second, KeepAlive: 30 * time.Second}
	g.checked = g.open
	g.checked.Control = g.control
	return g, nil
}

// Dialer returns what connects to other servers as http.request does: to an address that
// is not public only where the allow-list has it.
func Dialer(allow []string) (func(ctx context.Context, network, address string) (net.Conn, error), error) {
	g, err := newGuard(allow)
	if err != nil {
		return nil, err
	}
	return g.dial, nil
}

func (g *guard) allow(entry string) error {
	if p, err := netip.ParsePrefix(entry); err == nil {
		g.networks = append(g.networks, p.Masked())
		return nil
	}
	if a, err := netip.ParseAddr(entry); err == nil {
		a = a.Unmap()
		g.networks = append(g.networks, netip.PrefixFrom(a, a.BitLen()))
		return nil
	}
	if entry == "" || strings.ContainsAny(entry, "/ @?#") {
		return fmt.Errorf("reading http_allow: %q is neither a host nor a CIDR", entry)
	}
	if suffix, ok := strings.CutPrefix(entry, "*."); ok {
		g.suffixes = append(g.suffixes, "."+suffix)
		return nil
	}
	g.hosts[entry] = true
	return nil
}

// dial connects to host:port; a host that is not listed only at a public address.
func (g *guard) dial(ctx context.Context, network, address string) (net.Conn, error) {
	if g.listed(address) {
		return g.open.DialContext(ctx, network, address)
	}
	return g.checked.DialContext(ctx, network, address)
}

func (g *guard) listed(address string) bool {
	address = strings.ToLower(address)
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return false
	}
	host = strings.TrimSuffix(host, ".")
	if g.hosts[host] || g.hosts[address] {
		return true
	}
	for _, s := range g.suffixes {
		if strings.HasSuffix(host, s) {
			return true
		}
	}
	return false
}

// confidential tells whether what is sent to an address stays between the two: over
// https, on this machine, or where the allow-list says so.
func (g *guard) confidential(u *url.URL) bool {
	if u.Scheme == "https" {
		return true
	}
	port := u.Port()
	if port == "" {
		port = "80"
	}
	ip, err := netip.ParseAddr(u.Hostname())
	if err != nil {
		return u.Hostname() == "localhost" || g.listed(net.JoinHostPort(u.Hostname(), port))
	}
	ip = ip.Unmap()
	return ip.IsLoopback() || g.listed(net.JoinHostPort(u.Hostname(), port)) ||
		slices.ContainsFunc(g.networks, func(p netip.Prefix) bool { return p.Contains(ip.WithZone("")) })
}

// guarded is a way to call out under the rules of the guard.
type guarded struct{ c *Client }

// RoundTrip refuses addresses where a secret would not stay between the two.
func (t guarded) RoundTrip(r *nethttp.Request) (*nethttp.Response, error) {
	if t.c.guard.confidential(r.URL) {
		return t.c.plain.Transport.RoundTrip(r)
	}
	if r.Body != nil {
		_ = r.Body.Close() // it was not read
	}
	return nil, fmt.Errorf("the address of %s is not https; list it in http_allow to permit it", r.URL.Host)
}

// control runs once the name is resolved and before the connection is made, so
// that a name which resolves differently the second time gains nothing.
func (g *guard) control(_, address string, _ syscall.RawConn) error {
	a, err := netip.ParseAddrPort(address)
	if err != nil {
		return &refused{address}
	}
	ip := a.Addr().Unmap()
	for _, p := range g.networks {
		if p.Contains(ip.WithZone("")) {
			return nil
		}
	}
	if !public(ip) {
		return &refused{ip.String()}
	}
	return nil
}

// public tells whether an address belongs to the public Internet.
func public(ip netip.Addr) bool {
	if !ip.IsGlobalUnicast() || ip.IsPrivate() || ip.Zone() != "" {
		return false
	}
	for _, p := range reserved {
		if p.Contains(ip) {
			return false
		}
	}
	return true
}

// reserved are the special-purpose networks that IsGlobalUnicast lets through.
// Those that embed an IPv4 address (NAT64, 6to4, Teredo) are refused whole.
var reserved = []netip.Prefix{
	netip.MustParsePrefix("0.0.0.0/8"),
	netip.MustParsePrefix("100.64.0.0/10"),
	netip.MustParsePrefix("192.0.0.0/24"),
	netip.MustParsePrefix("192.0.2.0/24"),
	netip.MustParsePrefix("192.88.99.0/24"),
	netip.MustParsePrefix("198.18.0.0/15"),
	netip.MustParsePrefix("198.51.100.0/24"),
	netip.MustParsePrefix("203.0.113.0/24"),
	netip.MustParsePrefix("240.0.0.0/4"),
	netip.MustParsePrefix("::/96"),
	netip.MustParsePrefix("64:ff9b::/96"),
	netip.MustParsePrefix("64:ff9b:1::/48"),
	netip.MustParsePrefix("100::/64"),
	netip.MustParsePrefix("2001::/23"),
	netip.MustParsePrefix("2001:db8::/32"),
	netip.MustParsePrefix("2002::/16"),
	netip.MustParsePrefix("3fff::/20"),
	netip.MustParsePrefix("5f00::/16"),
	netip.MustParsePrefix("fec0::/10"),
}

package email

import (
	"net"
	"net/netip"
	"sync"
	"time"
)

const (
	// stretch is over how long the rate of mails is taken: so much may come at once.
	stretch = 10 * time.Second
	// mostSeen bounds how many addresses are remembered.
	mostSeen = 100_000
)

// brake limits how many mails come from one address. It is safe for concurrent use.
type brake struct {
	most int // a second; 0: any number

	mu   sync.Mutex
	seen map[string]time.Time // by address: until when its mails so far take, at the rate that it may have
}

// take tells whether an address may send a mail now.
func (b *brake) take(from net.Addr, now time.Time) bool {
	if b.most <= 0 {
		return true
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.seen) >= mostSeen {
		b.forget(now)
	}
	if b.seen == nil {
		b.seen = map[string]time.Time{}
	}
	host := sender(from)
	until := b.seen[host]
	if until.Before(now) {
		until = now
	}
	until = until.Add(time.Second / time.Duration(b.most))
	if until.Sub(now) > stretch {
		return false
	}
	b.seen[host] = until
	return true
}

// forget forgets who sends little; of too many who send much, all.
func (b *brake) forget(now time.Time) {
	for host, until := range b.seen {
		if until.Before(now) {
			delete(b.seen, host)
		}
	}
	if len(b.seen) >= mostSeen {
		clear(b.seen)
	}
}

// sender is whom an address belongs to: of IPv6, whoever has one has the 2^64 beside it.
func sender(from net.Addr) string {
	at, err := netip.ParseAddrPort(from.String())
	if err != nil {
		return from.String()
	}
	ip := at.Addr().Unmap()
	if ip.Is6() {
		network, _ := ip.WithZone("").Prefix(64) // of IPv6 there always is one
		return network.String()
	}
	return ip.String()
}

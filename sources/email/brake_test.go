package email

import (
	"net"
	"strconv"
	"strings"
	"testing"
	"time"
)

func at(address string) net.Addr {
	return &net.TCPAddr{IP: net.ParseIP(address), Port: 4711}
}

// taken is how many of n mails an address may send at once.
func (b *brake) taken(address string, now time.Time, n int) (all int) {
	for range n {
		if b.take(at(address), now) {
			all++
		}
	}
	return all
}

// An address may send ten seconds' worth at once, then so many a second; others are no
// worse for it. Of IPv6 a network is one sender.
func TestTheBrake(t *testing.T) {
	b, now := &brake{most: 5}, time.Now()
	for i, c := range []struct {
		address string
		after   time.Duration
		want    int
	}{
		{"192.0.2.1", 0, 50}, {"192.0.2.1", 0, 0}, {"192.0.2.2", 0, 50}, {"::ffff:192.0.2.2", 0, 0}, {"192.0.2.1", time.Second, 5}, {"192.0.2.1", 3 * time.Second, 10},
		{"2001:db8::1", 3 * time.Second, 50}, {"2001:db8::2", 3 * time.Second, 0}, {"2001:db8:0:1::1", 3 * time.Second, 50}, {"192.0.2.1", time.Hour, 50},
	} {
		if got := b.taken(c.address, now.Add(c.after), 60); got != c.want {
			t.Errorf("%d: %s may send %d after %s, not %d", i, c.address, got, c.after, c.want)
		}
	}
	if got := new(brake).taken("192.0.2.1", now, 10_000); got != 10_000 {
		t.Errorf("without a limit %d", got)
	}
}

// Who sends little is forgotten when there are many.
func TestTheBrakeForgets(t *testing.T) {
	b, now := &brake{most: 1}, time.Now()
	for i := range mostSeen {
		b.take(&net.UnixAddr{Name: strconv.Itoa(i)}, now)
	}
	b.take(at("192.0.2.1"), now.Add(30*time.Second))
	if len(b.seen) != 1 {
		t.Errorf("%d are remembered", len(b.seen))
	}
	for i := range mostSeen {
		b.take(&net.UnixAddr{Name: strconv.Itoa(i)}, now.Add(30*time.Second))
	}
	if len(b.seen) > mostSeen {
		t.Errorf("%d are remembered", len(b.seen))
	}
}

// Whoever sends too much is told to come again, and is counted.
func TestTooManyMails(t *testing.T) {
	p := newPost(t, func(c *Config) { c.Rate = 1 })
	d := p.dial()
	d.says("")
	d.says("EHLO client\r\n")
	got := ""
	for i := 0; i < 1000 && !strings.HasPrefix(got, "450 4.7.1"); i++ {
		if got = d.says("MAIL FROM:<ada@example.net>\r\n"); i < 10 && !strings.HasPrefix(got, "250") {
			t.Errorf("mail %d: %s", i, got)
		}
		d.says("RSET\r\n")
	}
	if !strings.HasPrefix(got, "450 4.7.1") {
		t.Errorf("the last answer is %s", got)
	}
	if n := p.server.Stats()[Overload]; n == 0 {
		t.Error("it is not counted")
	}
}

package settings

import (
	"net"
	"net/mail"
	"slices"
	"strings"
	"time"
)

// SMTP is the mail server that mails are handed to. Without a host there is none.
type SMTP struct {
	Host         string   `yaml:"host"`
	Port         int      `yaml:"port"` // 0: 587, 465 or 25, as tls says
	User         string   `yaml:"user"`
	Password     Secret   `yaml:"password"`
	From         string   `yaml:"from"`          // the sender of all mails
	TLS          string   `yaml:"tls"`           // starttls, implicit or none
	PerRecipient int      `yaml:"per_recipient"` // mails that an address gets at most within window; 0: any number
	Window       Duration `yaml:"window"`
	MaxSize      Bytes    `yaml:"max_size"` // of a mail's attachments together
}

func defaultSMTP() SMTP {
	return SMTP{TLS: "starttls", PerRecipient: 60, Window: Duration(time.Hour), MaxSize: 18 * mib}
}

// checkSMTP looks at the server that mails are handed to.
func (l *loading) checkSMTP() {
	const path = "worker.smtp"
	m, modes := &l.config.Worker.SMTP, []string{"starttls", "implicit", "none"}
	if !slices.Contains(modes, m.TLS) {
		l.fault(l.at(path+".tls"), "%s.tls is %q, not one of %s", path, m.TLS, strings.Join(modes, ", "))
	}
	l.atLeast(path+".per_recipient", int64(m.PerRecipient), 0, "0")
	l.atLeast(path+".window", int64(m.Window), int64(time.Second), "1s")
	l.atLeast(path+".max_size", int64(m.MaxSize), 1024, "1KiB")
	if m.Host == "" {
		if m.User != "" || m.From != "" {
			l.fault(l.at(path), "%s.host is missing", path)
		}
		return
	}
	from, err := mail.ParseAddress(m.From)
	switch {
	case strings.ContainsAny(m.Host, ":/@ ") && net.ParseIP(m.Host) == nil:
		l.fault(l.at(path+".host"), "%s.host is %q: write a name such as mail.example.org, and the port as port", path, m.Host)
	case m.Port < 0 || m.Port > 65535:
		l.fault(l.at(path+".port"), "%s.port is %d: there are 65535 ports", path, m.Port)
	case err != nil || from.Address == "":
		l.fault(l.at(path+".from"), "%s.from is %q: write the sender's address, such as School <office@example.org>", path, m.From)
	case (m.User == "") != (m.Password.Reveal() == ""):
		l.fault(l.at(path), "%s needs both user and password, or neither", path)
	case m.TLS == "none" && m.User != "" && !isHere(m.Host):
		l.fault(l.at(path+".tls"), "%s.tls: none would send the password readable to %s: use starttls or implicit", path, m.Host)
	}
}

// isHere tells whether a host is this machine.
func isHere(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

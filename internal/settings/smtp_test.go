package settings

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestSMTP(t *testing.T) {
	dir := t.TempDir()
	at := filepath.Join(dir, "zflow.yaml")
	if err := os.WriteFile(filepath.Join(dir, "password"), []byte("hunter2\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	load := func(text string, environ ...string) (*Config, error) {
		if err := os.WriteFile(at, []byte("worker: { smtp: {"+text+"} }"), 0o600); err != nil {
			t.Fatal(err)
		}
		return Load(Setup{File: at, Environ: environ})
	}
	c, err := load("host: mail.example.org, user: zflow, password_file: password, from: School <a@example.org>", "ZFLOW_WORKER_SMTP_PORT=2525", "ZFLOW_WORKER_SMTP_PER_RECIPIENT=5")
	if err != nil {
		t.Fatal(err)
	}
	m := c.Worker.SMTP
	if m.Host != "mail.example.org" || m.Port != 2525 || m.Password.Reveal() != "hunter2" || m.TLS != "starttls" || m.PerRecipient != 5 || m.Window != Duration(time.Hour) || m.MaxSize != 18*mib {
		t.Errorf("%+v", m)
	}
	if _, err := load("host: localhost, user: zflow, password: x, from: a@example.org, tls: none"); err != nil {
		t.Errorf("a password to this machine: %v", err)
	}
	const whole = "host: mail.example.org, from: a@example.org, "
	for text, says := range map[string]string{
		"from: a@example.org":                           "worker.smtp.host is missing",
		"host: 'mail.example.org:25', from: a@x.org":    "and the port as port",
		"host: mail.example.org":                        `worker.smtp.from is ""`,
		"host: mail.example.org, from: School":          "write the sender's address",
		whole + "user: a":                               "needs both user and password",
		whole + "tls: ssl":                              "not one of starttls, implicit, none",
		whole + "user: a, password: hunter2, tls: none": "would send the password readable",
		whole + "port: 70000":                           "65535",
		whole + "per_recipient: -1":                     "must be at least 0",
		whole + "window: 0s":                            "must be at least 1s",
		whole + "max_size: 1":                           "must be at least 1KiB",
	} {
		if _, err := load(text); err == nil || !strings.Contains(err.Error(), says) || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: %v; want %q", text, err, says)
		}
	}
}

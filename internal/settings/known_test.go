package settings

import (
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestKnownSecrets(t *testing.T) {
	dir := t.TempDir()
	at := filepath.Join(dir, "zflow.yaml")
	write(t, filepath.Join(dir, "key"), "hunter2\n", 0o600)
	write(t, filepath.Join(dir, "public"), "hunter2\n", 0o644)
	read := func(text string) (*Config, error) {
		write(t, at, "secrets:\n  "+text+"\n", 0o600)
		return Load(Setup{File: at, Environ: []string{"ZFLOW_SECRETS_ENV=from-env"}, For: ForWorker})
	}
	c, err := read("plain: text\n  once_file: key\n  again: { file: key }\n  tool: { command: [vault, get, a b] }\n  fast: { command: [/bin/true], ttl: 5s }")
	if err != nil {
		t.Fatal(err)
	}
	s := c.Secrets
	if s["plain"].Reveal() != "text" || s["once"].Reveal() != "hunter2" || s["env"].Reveal() != "from-env" || s["again"].File != filepath.Join(dir, "key") ||
		len(s["tool"].Command) != 3 || s["tool"].TTL != Duration(10*time.Minute) || s["fast"].TTL != Duration(5*time.Second) {
		t.Errorf("%+v", s)
	}
	for text, says := range map[string]string{
		"a: { file: key, command: [x] }": "has both file and command",
		"a: { file: none }":              "no such file",
		"a: { file: public }":            "can be read by everybody",
		"a: { file: key, ttl: 5m }":      "secrets.a.ttl is for a command",
		"a: { command: [] }":             "secrets.a.command is empty",
		"a: { command: [bin/x] }":        "write a whole path",
		"a: { command: [x], ttl: 1ms }":  "at least 1s",
		"a: { command: cat key }":        "must be a list",
		"a: { files: key }":              "secrets.a.files is not known (did you mean file?)",
		"a: [x]":                         "must be a single value",
		"A: { file: key }":               "lower-case",
	} {
		_, err := read(text)
		if err == nil || !strings.Contains(err.Error(), says) || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: %v; want %q", text, err, says)
		} else if strings.Count(err.Error(), "\n") > 0 {
			t.Errorf("%s: more than one error: %v", text, err)
		}
	}
	write(t, at, "secrets: { a: { file: none } }", 0o600)
	if _, err := Load(Setup{File: at, For: ForIngest}); err != nil {
		t.Errorf("ingest reads what is not for it: %v", err)
	}
}

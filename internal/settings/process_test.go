package settings

import (
	"path/filepath"
	"strings"
	"testing"
)

// TestProcessesKnowTheirPartOnly: one file for all, where each process has the
// secrets of its own part beside it and no others.
func TestProcessesKnowTheirPartOnly(t *testing.T) {
	dir := t.TempDir()
	file := write(t, filepath.Join(dir, "zflow.yaml"), `
ingest:
  public_key_file: sealing.pub
  apps: {default: {secrets_file: token}}
connections:
  school: {kind: zoom_s2s, account_id: a, client_id: c, client_secret_file: client}
secrets: {crm_file: crm}
zoom: {apps: {default: {connection: school, header: {name: x-zflow, value_file: beside}}}}
worker: {sealing_keys_file: sealing.keys, slots: 7}
console: {tokens_file: api}
`, 0o644)
	at := func(name string) string { return filepath.Join(dir, name) }
	write(t, at("api"), "0123456789abcdef\n", 0o600)
	console := load(t, Setup{File: file, For: ForConsole})
	if len(console.Connections)+len(console.Secrets)+len(console.Ingest.Apps) != 0 || console.Worker.SealingKeysFile != "" || len(console.Console.Tokens) != 1 {
		t.Errorf("the console knows %+v", console)
	}
	write(t, at("api"), "0123456789abcdef\n", 0o604) // would be refused if it were read
	write(t, at("token"), "t", 0o600)
	write(t, at("sealing.pub"), "p", 0o644)
	if _, err := Load(Setup{File: file, For: ForWorker}); err == nil || !strings.Contains(err.Error(), "client") || strings.Contains(err.Error(), "token") {
		t.Errorf("a worker without its secrets: %v", err)
	}
	in := load(t, Setup{File: file, For: ForIngest, Environ: []string{"ZFLOW_SECRETS_MORE=x"}})
	if len(in.Connections)+len(in.Secrets) != 0 || in.Worker.SealingKeysFile != "" {
		t.Errorf("ingest knows %+v %+v %+v", in.Connections, in.Secrets, in.Worker)
	}
	if in.Ingest.Apps["default"].Secrets[0].Reveal() != "t" || in.Ingest.PublicKey.String() != "p" {
		t.Errorf("ingest does not know its own: %+v", in.Ingest)
	}

	write(t, at("client"), "c", 0o600)
	write(t, at("beside"), "hush", 0o600)
	write(t, at("crm"), "k", 0o600)
	write(t, at("token"), "t", 0o604) // would be refused if it were read
	w := load(t, Setup{File: file, For: ForWorker})
	if len(w.Ingest.Apps) != 0 || w.Ingest.PublicKey.String() != "" {
		t.Errorf("the worker knows %+v", w.Ingest)
	}
	if w.Zoom.Apps["default"].Header.Value.Reveal() != "hush" {
		t.Errorf("the worker does not know what Zoom is to send besides: %+v", w.Zoom)
	}
	if w.Connections["school"].ClientSecret.Reveal() != "c" || w.Secrets["crm"].Reveal() != "k" || w.Worker.Slots != 7 {
		t.Errorf("the worker does not know its own: %+v", w)
	}
	if _, err := Load(Setup{File: file}); err == nil {
		t.Error("who may know all took a secret that everybody can read")
	}
}

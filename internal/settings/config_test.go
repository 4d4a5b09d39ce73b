package settings

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"
)

// TestFaults loads files that are named by what is wrong with them; what is to
// be said stands beside each.
func TestFaults(t *testing.T) {
	files, err := filepath.Glob("testdata/faults/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".yaml"), func(t *testing.T) {
			want, err := os.ReadFile(strings.TrimSuffix(file, ".yaml") + ".txt")
			if err != nil {
				t.Fatal(err)
			}
			_, err = Load(Setup{File: file})
			var faults Faults
			if !errors.As(err, &faults) {
				t.Fatalf("got %v", err)
			}
			if got := strings.ReplaceAll(faults.Error()+"\n", filepath.Dir(file)+"/"+filepath.Base(file), filepath.Base(file)); got != string(want) {
				t.Errorf("got\n%s\nwant\n%s", got, want)
			}
		})
	}
}

// shipped is the file that the project ships.
const shipped = "../../configs/zflow.yaml"

func load(t *testing.T, s Setup) *Config {
	t.Helper()
	c, err := Load(s)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// TestShipped holds the shipped file to its word: it states the defaults.
func TestShipped(t *testing.T) {
	if c := load(t, Setup{File: shipped}); !reflect.DeepEqual(normal(c), normal(load(t, Setup{}))) {
		t.Errorf("got %+v\nwant the defaults", c)
	}
}

func normal(c *Config) *Config {
	if len(c.HTTPAllow) == 0 {
		c.HTTPAllow = nil
	}
	return c
}

// TestShippedExamples takes the comment signs from the examples of the shipped
// file, and loads them.
func TestShippedExamples(t *testing.T) {
	src, err := os.ReadFile(shipped)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	text := strings.ReplaceAll(uncomment(string(src)), "/run/secrets", dir)
	text = strings.Replace(text, "  creds:", "  # creds:", 1) // either that or a user
	for _, name := range []string{"nats_password", "api_tokens", "zoom_secret_token", "zoom_basic", "zoom_header", "school", "crm_token", "smtp_password", "sheet_key", "sealing.pub", "sealing.keys"} {
		write(t, filepath.Join(dir, name), "text of "+name+"\n", 0o600)
	}
	write(t, filepath.Join(dir, "api_tokens"), "a-token-of-the-api\nanother-of-the-api\n", 0o600)
	c := load(t, Setup{File: write(t, filepath.Join(dir, "zflow.yaml"), text, 0o644)})
	for what, v := range map[string][2]string{
		"password":    {c.NATS.Password.Reveal(), "text of nats_password"},
		"public key":  {c.Ingest.PublicKey.String(), "text of sealing.pub"},
		"app":         {c.Ingest.Apps["default"].Secrets[2].Reveal(), "zoom_secret_token"},
		"basic":       {c.Ingest.Apps["default"].Basic.Password.Reveal(), "text of zoom_basic"},
		"header":      {c.Ingest.Apps["default"].Header.Value.Reveal(), "text of zoom_header"},
		"public URL":  {c.PublicURL, "https://zflow.example.org"},
		"token":       {c.Console.Tokens[1].Reveal(), "another-of-the-api"},
		"connection":  {c.Connections["school"].ClientSecret.Reveal(), "text of school"},
		"mail server": {c.Worker.SMTP.Password.Reveal(), "text of smtp_password"},
		"secret":      {c.Secrets["crm_token"].Reveal(), "text of crm_token"},
		"keys":        {c.Worker.SealingKeysFile, filepath.Join(dir, "sealing.keys")},
	} {
		if v[0] != v[1] {
			t.Errorf("%s: got %q, want %q", what, v[0], v[1])
		}
	}
}

// uncomment takes "# " away before what is a key.
func uncomment(src string) string {
	lines := strings.Split(src, "\n")
	for i, l := range lines {
		indent, rest, ok := strings.Cut(l, "# ")
		key, _, isKey := strings.Cut(rest, ":")
		if ok && isKey && i > 12 && strings.TrimSpace(indent) == "" && !strings.Contains(strings.TrimSpace(key), " ") {
			lines[i] = indent + rest
		}
	}
	return strings.Join(lines, "\n")
}

func write(t *testing.T, path, text string, mode os.FileMode) string {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), mode); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, mode); err != nil { // whatever the umask
		t.Fatal(err)
	}
	return path
}

func TestSections(t *testing.T) {
	for name, text := range map[string]string{"empty": "", "comments": "# nothing\n", "empty sections": "nats:\ningest:\n  limits:\nconnections:\n"} {
		c := load(t, Setup{File: write(t, filepath.Join(t.TempDir(), "c.yaml"), text, 0o644)})
		if !reflect.DeepEqual(c, load(t, Setup{})) {
			t.Errorf("%s: got %+v", name, c)
		}
	}
}

func TestAnchors(t *testing.T) {
	c := load(t, Setup{File: write(t, filepath.Join(t.TempDir(), "c.yaml"), "streams: { events_age: &a 7d, runs_age: 9d }\ningest: { limits: { window: *a } }\n", 0o644)})
	if c.Ingest.Limits.Window != Duration(7*day) {
		t.Errorf("got %v", c.Ingest.Limits.Window)
	}
}

func TestEnvironment(t *testing.T) {
	dir := t.TempDir()
	secret := write(t, filepath.Join(dir, "secret"), "from file\n", 0o600)
	file := write(t, filepath.Join(dir, "c.yaml"), `
nats: { url: "nats://file:4222", user: me, password_file: not-there }
ingest: { apps: { my-app: { secrets: [ old ] } } }
connections: { school: { kind: zoom_s2s, account_id: a, client_id: b, client_secret: c } }
secrets: { kept: k, over: o }
`, 0o644)
	c := load(t, Setup{File: file, Others: []string{"ZFLOW_API_TOKEN"}, Environ: []string{
		"HOME=/root", "ZFLOW_API_TOKEN=x",
		"ZFLOW_NATS_URL=nats://env:4222", "ZFLOW_NATS_PASSWORD=pw",
		"ZFLOW_INGEST_APPS_MY_APP_SECRETS=new, old", "ZFLOW_INGEST_APPS_DEFAULT_SECRETS_FILE=" + secret,
		"ZFLOW_INGEST_LIMITS_MAX_BODY=2MiB", "ZFLOW_HTTP_ALLOW=127.0.0.0/8,localhost", "ZFLOW_WORKER_SLOTS=7",
		"ZFLOW_CONNECTIONS_SCHOOL_CLIENT_SECRET_FILE=" + secret, "ZFLOW_CONNECTIONS_SCHOOL_API_URL=http://sim",
		"ZFLOW_SECRETS_OVER=env", "ZFLOW_SECRETS_CRM_TOKEN_FILE=" + secret, "ZFLOW_STREAMS_RUNS_AGE=40d",
	}})
	for what, v := range map[string][2]any{
		"url":           {c.NATS.URL, "nats://env:4222"},
		"password":      {c.NATS.Password.Reveal(), "pw"},
		"user":          {c.NATS.User, "me"},
		"app":           {c.Ingest.Apps["my-app"].Secrets, []Secret{{text: "new"}, {text: "old"}}},
		"new app":       {c.Ingest.Apps["default"].Secrets, []Secret{{text: "from"}, {text: "file"}}},
		"apps":          {len(c.Ingest.Apps), 2},
		"body":          {c.Ingest.Limits.MaxBody, Bytes(2 * mib)},
		"allow":         {c.HTTPAllow, []string{"127.0.0.0/8", "localhost"}},
		"slots":         {c.Worker.Slots, 7},
		"client secret": {c.Connections["school"].ClientSecret.Reveal(), "from file"},
		"client id":     {c.Connections["school"].ClientID, "b"},
		"api":           {c.Connections["school"].APIURL, "http://sim"},
		"secret":        {c.Secrets["over"].Reveal(), "env"},
		"other secret":  {c.Secrets["kept"].Reveal(), "k"},
		"new secret":    {c.Secrets["crm_token"].Reveal(), "from file"},
		"age":           {c.Streams.RunsAge, Duration(40 * day)},
	} {
		if !reflect.DeepEqual(v[0], v[1]) {
			t.Errorf("%s: got %v, want %v", what, v[0], v[1])
		}
	}
}

func TestEnvironmentFaults(t *testing.T) {
	for entry, want := range map[string]string{
		"ZFLOW_NATS_UR=x":                  "ZFLOW_NATS_UR: this environment variable is not known (did you mean ZFLOW_NATS_URL?)",
		"ZFLOW_FOO=x":                      "ZFLOW_FOO: this environment variable is not known",
		"ZFLOW_CONNECTIONS_KIND=x":         "ZFLOW_CONNECTIONS_KIND: this environment variable is not known",
		"ZFLOW_NATS=x":                     "ZFLOW_NATS: this environment variable is not known (did you mean ZFLOW_NATS_URL?)",
		"ZFLOW_WORKER_SLOTS=x":             `ZFLOW_WORKER_SLOTS: worker.slots: "x" is no whole number`,
		"ZFLOW_WORKER_SLOTS=0":             "ZFLOW_WORKER_SLOTS: worker.slots must be at least 1",
		"ZFLOW_NATS_PASSWORD_FILE=/no/one": "ZFLOW_NATS_PASSWORD_FILE: the file /no/one: no such file or directory",
		"ZFLOW_STREAMS_EVENTS_AGE=29d":     "streams.runs_age: streams.runs_age is 30d: it must be at least 31d, 2 days more than streams.events_age, so that an event cannot come again when its run is forgotten",
	} {
		_, err := Load(Setup{Environ: []string{entry}})
		if err == nil || err.Error() != "reading the configuration: "+want {
			t.Errorf("%s: got %v", entry, err)
		}
	}
}

func TestSecretFiles(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "open"), "x", 0o644)
	write(t, filepath.Join(dir, "group"), "of the group\n\n", 0o640)
	write(t, filepath.Join(dir, "empty"), "\n", 0o600)
	for text, want := range map[string]string{
		"nats: { user: a, password_file: open }":  "the secret in " + dir + "/open can be read by everybody (mode 0644): chmod o-r it",
		"nats: { creds: " + dir + "/open }":       "can be read by everybody",
		"nats: { user: a, password_file: empty }": "the file " + dir + "/empty is empty",
		"nats: { user: a, password_file: . }":     dir + " is a folder",
		"ingest: { public_key_file: open }":       "",
		"nats: { user: a, password_file: group }": "",
	} {
		c, err := Load(Setup{File: write(t, filepath.Join(dir, "c.yaml"), text, 0o644)})
		switch {
		case want == "" && err != nil, want != "" && (err == nil || !strings.Contains(err.Error(), want)):
			t.Errorf("%s: got %v", text, err)
		case err == nil && c.NATS.Password.Reveal()+c.Ingest.PublicKey.String() != map[bool]string{true: "x", false: "of the group"}[c.NATS.User == ""]:
			t.Errorf("%s: got %+v", text, c)
		}
	}
}

func TestNoFile(t *testing.T) {
	if _, err := Load(Setup{File: "testdata/nowhere.yaml"}); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("got %v", err)
	}
}

// TestNothingPrinted prints a configuration in all ways and looks for secrets.
func TestNothingPrinted(t *testing.T) {
	c := load(t, Setup{Environ: []string{"ZFLOW_NATS_USER=me", "ZFLOW_NATS_PASSWORD=hush", "ZFLOW_SECRETS_A=hush", "ZFLOW_INGEST_APPS_A_SECRETS=hush"}})
	text, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	all := string(text) + fmt.Sprintf("%v %+v %#v %s", *c, *c, *c, c.NATS.Password)
	if strings.Contains(all, "hush") || !strings.Contains(all, "••••") {
		t.Errorf("got %s", all)
	}
}

func TestDurations(t *testing.T) {
	for text, want := range map[string]time.Duration{"90s": 90 * time.Second, "0s": 0, "28d": 28 * day, "1w2d3h": 9*day + 3*time.Hour, "1.5h": 90 * time.Minute} {
		var d Duration
		if err := d.set(text); err != nil || time.Duration(d) != want {
			t.Errorf("%s: got %v, %v", text, d, err)
		}
	}
	for _, text := range []string{"", "5", "-1d", "d", "1x", "3 d"} {
		var d Duration
		if err := d.set(text); err == nil {
			t.Errorf("%q: got %v", text, d)
		}
	}
	if got := Duration(36*time.Hour).String() + " " + Duration(48*time.Hour).String(); got != "36h0m0s 2d" {
		t.Error(got)
	}
}

func TestSizes(t *testing.T) {
	for text, want := range map[string]Bytes{"0": 0, "17": 17, "17B": 17, "1KB": 1000, "20GiB": 20 * gib, "1 MiB": mib, "3TiB": 3 << 40} {
		var b Bytes
		if err := b.set(text); err != nil || b != want {
			t.Errorf("%s: got %v, %v", text, b, err)
		}
	}
	for _, text := range []string{"", "GiB", "-1MiB", "1.5GiB", "1KKB", "5000000TiB"} {
		var b Bytes
		if err := b.set(text); err == nil {
			t.Errorf("%q: got %v", text, b)
		}
	}
	if got := Bytes(20*gib).String() + " " + Bytes(1500).String(); got != "20GiB 1500" {
		t.Error(got)
	}
}

// FuzzConfig loads any text without a panic, and says why it refuses one.
func FuzzConfig(f *testing.F) {
	f.Add("nats: { url: x }\n---\n")
	f.Add("a: &a [*a]\n")
	f.Add("nats: !!binary x\n? [a]\n: b\n")
	f.Fuzz(func(t *testing.T, text string) {
		l := &loading{config: Default(), where: map[string]string{}}
		l.yaml("c.yaml", []byte(text))
		if l.check(); len(l.faults) > 0 && l.faults.Error() == "" {
			t.Error("refused without a word")
		}
	})
}

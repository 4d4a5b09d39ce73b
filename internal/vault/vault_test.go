package vault

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"zflow/internal/child"
)

func write(t *testing.T, path, text string, mode os.FileMode) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), mode); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, mode); err != nil {
		t.Fatal(err)
	}
}

// seals counts, so that what was sealed anew is seen.
func seals() func(string) string {
	n := 0
	return func(value string) string {
		n++
		return "sealed " + string(rune('0'+n))
	}
}

func open(t *testing.T, from map[string]Source) (*Vault, *observer.ObservedLogs) {
	t.Helper()
	if !child.Limited {
		t.Skip("programs are run on Linux only")
	}
	core, logs := observer.New(zap.InfoLevel)
	v, err := Open(t.Context(), from, seals(), zap.New(core))
	if err != nil {
		t.Fatal(err)
	}
	return v, logs
}

func want(t *testing.T, v *Vault, name, value string) {
	t.Helper()
	if got := v.Values()[name]; got != value {
		t.Errorf("secrets.%s is %q, want %q", name, got, value)
	}
}

func TestAFileIsReadAgainWhenItChanges(t *testing.T) {
	at := filepath.Join(t.TempDir(), "token")
	write(t, at, "one\n", 0o600)
	v, logs := open(t, map[string]Source{"token": {File: at}, "plain": {Text: "as it is\n"}})
	want(t, v, "token", "one")
	want(t, v, "plain", "as it is\n")
	sealed := v.Sealed()
	v.Refresh(t.Context())
	if v.Sealed()["token"] != sealed["token"] {
		t.Error("it was sealed anew though nothing changed")
	}
	write(t, at, "number two\r\n", 0o600)
	v.Refresh(t.Context())
	want(t, v, "token", "number two")
	if v.Sealed()["token"] == sealed["token"] || v.Sealed()["plain"] != sealed["plain"] {
		t.Errorf("sealed %v, then %v", sealed, v.Sealed())
	}
	if sealed["token"] == v.Sealed()["token"] {
		t.Error("who holds the old map sees the new value")
	}
	write(t, at+".new", "three", 0o600) // as tools put a new one in its place
	if err := os.Rename(at+".new", at); err != nil {
		t.Fatal(err)
	}
	v.Refresh(t.Context())
	want(t, v, "token", "three")
	if logs.Len() != 0 {
		t.Errorf("it says %v", logs.All())
	}
}

func TestTheLastGoodValueIsKept(t *testing.T) {
	at := filepath.Join(t.TempDir(), "token")
	write(t, at, "hunter2", 0o600)
	v, logs := open(t, map[string]Source{"token": {File: at}})
	for _, spoil := range []func(){
		func() { write(t, at, "", 0o600) },
		func() { write(t, at, "hunter3", 0o644) },
		func() { os.Remove(at) },
	} {
		spoil()
		v.Refresh(t.Context())
		want(t, v, "token", "hunter2")
	}
	if logs.Len() != 1 || logs.All()[0].ContextMap()["secret"] != "token" {
		t.Errorf("it warns %d times: %v", logs.Len(), logs.All())
	}
	write(t, at, "hunter4", 0o600)
	v.Refresh(t.Context())
	want(t, v, "token", "hunter4")
	os.Remove(at)
	v.Refresh(t.Context())
	if logs.Len() != 2 {
		t.Errorf("a failure after a success is not told: %d warnings", logs.Len())
	}
	for _, l := range logs.All() {
		if strings.Contains(l.Message, "hunter") || strings.Contains(l.ContextMap()["error"].(string), "hunter") {
			t.Errorf("it shows a value: %v", l)
		}
	}
}

func TestACommandIsRunAgainAfterItsTime(t *testing.T) {
	dir := t.TempDir()
	script := `n=$(cat n 2>/dev/null || echo 0); n=$((n+1)); echo $n > n; [ -e broken ] && { echo hunter2 >&2; exit 3; }; echo "value $n"`
	v, logs := open(t, map[string]Source{"token": {Command: []string{"/bin/sh", "-c", "cd " + dir + "; " + script}, TTL: time.Hour}})
	want(t, v, "token", "value 1")
	v.Refresh(t.Context())
	want(t, v, "token", "value 1")
	v.sources[0].due = time.Now()
	v.Refresh(t.Context())
	want(t, v, "token", "value 2")
	write(t, filepath.Join(dir, "broken"), "", 0o600)
	v.sources[0].due = time.Now()
	v.Refresh(t.Context())
	want(t, v, "token", "value 2")
	if logs.Len() != 1 || !strings.Contains(logs.All()[0].ContextMap()["error"].(string), "ended with code 3") || strings.Contains(logs.All()[0].ContextMap()["error"].(string), "hunter2") {
		t.Errorf("it says %v", logs.All())
	}
	if again := time.Until(v.sources[0].due); again > time.Minute || again < 30*time.Second {
		t.Errorf("it is tried again in %s", again)
	}
}

func TestWhatCannotBeHadAtTheStartIsAnError(t *testing.T) {
	dir := t.TempDir()
	public, long := filepath.Join(dir, "public"), filepath.Join(dir, "long")
	write(t, public, "hunter2", 0o644)
	write(t, long, strings.Repeat("hunter2", 10_000), 0o600)
	from := map[string]Source{
		"gone": {File: filepath.Join(dir, "none")}, "public": {File: public}, "long": {File: long}, "folder": {File: dir},
		"missing": {Command: []string{filepath.Join(dir, "none")}}, "fails": {Command: []string{"/bin/sh", "-c", "echo hunter2; exit 1"}},
		"silent": {Command: []string{"/bin/true"}}, "floods": {Command: []string{"/bin/cat", "/dev/zero"}}, "bytes": {Command: []string{"/usr/bin/printf", `hunter2\377`}},
	}
	_, err := Open(t.Context(), from, seals(), zap.NewNop())
	if err == nil {
		t.Fatal("it opened")
	}
	for _, says := range []string{
		"secrets.gone: reading its file", "secrets.public: " + public + " can be read by everybody", "secrets.long: the file " + long + " has more than 64 KiB", "secrets.folder: " + dir + " is no plain file",
		"secrets.missing: starting", "secrets.fails: the command /bin/sh ended with code 1", "secrets.silent: what the command /bin/true prints is empty",
		"secrets.floods: the command /bin/cat wrote more than 64 KiB", "secrets.bytes: what the command /usr/bin/printf prints is no text",
	} {
		if !strings.Contains(err.Error(), says) {
			t.Errorf("it does not say %q:\n%s", says, err)
		}
	}
	if strings.Contains(err.Error(), "hunter2") {
		t.Errorf("it shows a value: %s", err)
	}
}

func TestACommandThatHangsIsEnded(t *testing.T) {
	v := &Vault{patient: 50 * time.Millisecond}
	if _, err := v.run(t.Context(), []string{"/bin/sleep", "600"}); err == nil || !strings.Contains(err.Error(), "took longer than 50ms") {
		t.Errorf("%v", err)
	}
	v.patient = time.Minute
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := v.run(ctx, []string{"/bin/sleep", "600"}); err == nil {
		t.Error("it outlived its context")
	}
}

func TestACommandKnowsNothingOfOurEnvironment(t *testing.T) {
	t.Setenv("ZFLOW_SECRETS_OTHER", "hunter2")
	v := &Vault{patient: time.Minute}
	if got, err := v.run(t.Context(), []string{"/usr/bin/env", "VAULT_ADDR=here", "/bin/sh", "-c", `echo "$VAULT_ADDR$ZFLOW_SECRETS_OTHER"`}); err != nil || got != "here" {
		t.Errorf("%q %v", got, err)
	}
}

func TestRunEndsWithItsContext(t *testing.T) {
	v, _ := open(t, map[string]Source{"plain": {Text: "x"}})
	v.Run(t.Context()) // nothing changes: at once
	v, _ = open(t, map[string]Source{"c": {Command: []string{"/bin/echo", "x"}, TTL: time.Hour}})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	v.Run(ctx)
}

package child_test

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"zflow/internal/child"
)

// sh starts a script, whose output comes through the pipe that is returned.
func sh(t *testing.T, script string, change ...func(*child.Program)) (*child.Child, *bufio.Reader) {
	t.Helper()
	if !child.Limited {
		t.Skip("groups and limits of processes are known on Linux only")
	}
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close() })
	p := child.Program{Path: "/bin/sh", Args: []string{"-c", script}, Env: []string{"PATH=/usr/bin:/bin"}, Dir: t.TempDir(), Stdout: w}
	for _, c := range change {
		c(&p)
	}
	c, err := child.Start(p)
	w.Close()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Kill)
	return c, bufio.NewReader(r)
}

func wait(t *testing.T, c *child.Child) child.End {
	t.Helper()
	select {
	case <-c.Done():
	case <-time.After(20 * time.Second):
		t.Fatal("the child does not end")
	}
	end, err := c.Wait()
	if err != nil {
		t.Fatal(err)
	}
	return end
}

// ends fails the test unless nobody has the pipe open any more.
func ends(t *testing.T, r io.Reader) {
	t.Helper()
	gone := make(chan struct{})
	go func() {
		defer close(gone)
		io.Copy(io.Discard, r)
	}()
	select {
	case <-gone:
	case <-time.After(20 * time.Second):
		t.Fatal("a process outlives its group")
	}
}

func TestEnds(t *testing.T) {
	for script, want := range map[string]child.End{
		"exit 0":        {},
		"exit 7":        {Code: 7},
		"kill -TERM $$": {Code: -1, Signal: "terminated"},
	} {
		c, _ := sh(t, script)
		if got := wait(t, c); got != want {
			t.Errorf("%s: %+v, want %+v", script, got, want)
		}
		c.Kill() // of one that has ended is nothing
	}
	if _, err := child.Start(child.Program{Path: "/no/such/program"}); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a program that is not there: %v", err)
	}
}

func TestNothingIsInherited(t *testing.T) {
	t.Setenv("ZFLOW_TEST_SECRET", "hunter2")
	f, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	c, out := sh(t, "env; exec ls /proc/self/fd")
	said, _ := io.ReadAll(out)
	wait(t, c)
	if text := string(said); strings.Contains(text, "hunter2") || strings.Contains(text, "HOME=") || !strings.Contains(text, "PATH=/usr/bin:/bin") {
		t.Errorf("the environment is\n%s", text)
	}
	if !strings.Contains(string(said), "\n0\n1\n2\n3\n") || strings.HasSuffix(string(said), "\n4\n") { // 3 is ls's own
		t.Errorf("open descriptors:\n%s", said)
	}
}

// TestNothingIsLeft: who goes into the background, or makes a session of its own,
// ends with the child.
func TestNothingIsLeft(t *testing.T) {
	for _, script := range []string{
		"sleep 1000 & exit 0",
		"setsid sleep 1000 & sleep 0.1; exit 0",
		"(setsid sh -c 'sleep 1000 & sleep 1000' &) ; exit 0",
	} {
		c, out := sh(t, script)
		wait(t, c)
		ends(t, out)
	}
	c, out := sh(t, "echo up; sleep 1000 & sleep 1000")
	out.ReadString('\n')
	c.Kill()
	if end := wait(t, c); end.Signal != "killed" {
		t.Errorf("killed: %+v", end)
	}
	ends(t, out)
}

func TestLimits(t *testing.T) {
	in, tell, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	c, out := sh(t, "read x; ulimit -t; ulimit -n; ulimit -f; ulimit -d; ulimit -c; head -c 40000000 /dev/zero | tail", func(p *child.Program) {
		p.Stdin = in
		p.Limits = child.Limits{Memory: 16 << 20, FileSize: 1 << 20, OpenFiles: 40, CPU: 1500 * time.Millisecond}
	})
	tell.WriteString("go\n") // the limits are set once Start has returned
	tell.Close()
	said, _ := io.ReadAll(out)
	if string(said) != "2\n40\n2048\n16384\n0\n" {
		t.Errorf("the limits are\n%s", said)
	}
	if end := wait(t, c); end == (child.End{}) {
		t.Error("16 MiB are no limit")
	}
}

func TestForkBomb(t *testing.T) {
	c, out := sh(t, "i=0; while [ $i -lt 150 ]; do sleep 1000 & i=$((i+1)); done; wait", func(p *child.Program) { p.Limits.Processes = 20 })
	if end := wait(t, c); !end.Crowded {
		t.Errorf("150 processes, where 20 may be: %+v", end)
	}
	ends(t, out)
	c, _ = sh(t, "sleep 0.2 & sleep 0.2 & wait", func(p *child.Program) { p.Limits.Processes = 20 })
	if end := wait(t, c); end != (child.End{}) {
		t.Errorf("three processes, where 20 may be: %+v", end)
	}
}

func TestBounded(t *testing.T) {
	overs := 0
	b := &child.Bounded{Limit: 5, Over: func() { overs++ }}
	for _, part := range []string{"abc", "", "de"} {
		b.Write([]byte(part))
	}
	if b.Exceeded() || overs != 0 {
		t.Error("five bytes are too many for five")
	}
	for range 2 {
		if n, err := b.Write([]byte("fgh")); n != 3 || err != nil {
			t.Errorf("a write beyond the limit: %d, %v", n, err)
		}
	}
	if string(b.Bytes()) != "abcde" || !b.Exceeded() || overs != 1 {
		t.Errorf("kept %q, told %d times", b.Bytes(), overs)
	}
}

// TestFlood: a child that writes without end is told from one that is done.
func TestFlood(t *testing.T) {
	var c *child.Child
	started := make(chan struct{})
	out := &child.Bounded{Limit: 1 << 16, Over: func() { <-started; c.Kill() }}
	c, _ = sh(t, "while :; do echo flood; done", func(p *child.Program) { p.Stdout = out })
	close(started)
	if end := wait(t, c); end.Signal != "killed" || len(out.Bytes()) != 1<<16 {
		t.Errorf("%+v with %d bytes", end, len(out.Bytes()))
	}
}

// TestDiesWithUs: a child does not outlive a process that is killed.
func TestDiesWithUs(t *testing.T) {
	if !child.Limited {
		t.Skip("only Linux can")
	}
	if os.Getenv("CHILD_TEST_PARENT") != "" {
		c, err := child.Start(child.Program{Path: "/bin/sh", Args: []string{"-c", "echo up; exec sleep 1000"}, Env: []string{"PATH=/usr/bin:/bin"}, Stdout: os.Stdout})
		if err != nil {
			t.Fatal(err)
		}
		c.Wait()
		return
	}
	self, err := filepath.Abs(os.Args[0])
	if err != nil {
		t.Fatal(err)
	}
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	parent := exec.Command(self, "-test.run", "^TestDiesWithUs$")
	parent.Env, parent.Stdout = append(os.Environ(), "CHILD_TEST_PARENT=1"), w
	if err := parent.Start(); err != nil {
		t.Fatal(err)
	}
	w.Close()
	lines := bufio.NewReader(r)
	if line, err := lines.ReadString('\n'); err != nil || !bytes.Contains([]byte(line), []byte("up")) {
		t.Fatalf("%q, %v", line, err)
	}
	parent.Process.Kill()
	parent.Wait()
	ends(t, lines)
}

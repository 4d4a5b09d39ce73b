package usage

import (
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"testing"
	"time"
)

func TestReadUsage(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("there is no /proc")
	}
	f, err := os.Create(filepath.Join(t.TempDir(), "f"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	before, err := Read(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	if before.RSS < 1<<20 || before.PSS <= 0 || before.PSS > before.RSS {
		t.Errorf("memory: %+v", before)
	}
	for after := before; after.CPU < before.CPU+3*tick; { // ends by what it looks for
		if after, err = Read(os.Getpid()); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := Read(1 << 30); err == nil {
		t.Error("a process that is not there = nil")
	}
}

// TestCPUTimeOfAStrangeName: a process's name may hold brackets and blanks.
func TestCPUTimeOfAStrangeName(t *testing.T) {
	file := filepath.Join(t.TempDir(), "stat")
	for text, want := range map[string]time.Duration{
		"7 (zflow) S 1 7 7 0 -1 4194560 100 0 0 0 30 12 5 5 20 0 9 0":       420 * time.Millisecond,
		"7 (a) 99 99 (b) S 1 7 7 0 -1 4194560 100 0 0 0 30 12 5 5 20 0 9 0": 420 * time.Millisecond,
		"7 (zflow) S 1": -1,
		"7 (zflow) S 1 7 7 0 -1 4194560 100 0 0 0 x 12 5 5 20 0 9 0": -1,
	} {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		got, err := cpuTime(file)
		if want >= 0 && (err != nil || got != want) || want < 0 && err == nil {
			t.Errorf("%q: %v, %v", text, got, err)
		}
	}
}

func TestStored(t *testing.T) {
	dir := t.TempDir()
	for name, size := range map[string]int{"a": 10, "b/c": 200, "b/d/e": 3000} {
		file := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, make([]byte, size), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if n, err := Stored(dir); n != 3210 || err != nil {
		t.Errorf("stored = %d, %v", n, err)
	}
	if n, err := Stored(filepath.Join(dir, "none")); n != 0 || err != nil {
		t.Errorf("stored of no folder = %d, %v", n, err)
	}
}

func TestChildren(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("there is no /proc")
	}
	child := exec.Command("sleep", "60")
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	all, err := Children()
	if err != nil || !slices.Contains(all, child.Process.Pid) {
		t.Errorf("%v %v, want %d among them", all, err, child.Process.Pid)
	}
	if err := child.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = child.Wait() // it was killed
	if all, err := Children(); err != nil || slices.Contains(all, child.Process.Pid) {
		t.Errorf("%v %v, want none that has ended", all, err)
	}
}

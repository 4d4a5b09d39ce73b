// Package usage reads what a process has used: CPU, memory and disk.
package usage

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"time"
)

// tick is the unit of CPU times in /proc on every Linux that Go runs on.
const tick = 10 * time.Millisecond

// Process is what a process has used so far.
type Process struct {
	CPU      time.Duration // user and system
	Written  int64         // bytes it caused to be written to disk
	RSS, PSS int64         // bytes in memory; PSS: shared pages by their share
}

// Read reads /proc; other systems than Linux have none, and all is zero there.
func Read(pid int) (u Process, err error) {
	if runtime.GOOS != "linux" {
		return u, nil
	}
	dir := filepath.Join("/proc", strconv.Itoa(pid))
	if u.CPU, err = cpuTime(filepath.Join(dir, "stat")); err != nil {
		return u, fmt.Errorf("reading what process %d uses: %w", pid, err)
	}
	if u.Written, err = written(filepath.Join(dir, "io")); err != nil {
		return u, fmt.Errorf("reading what process %d writes: %w", pid, err)
	}
	if u.RSS, u.PSS, err = memory(filepath.Join(dir, "smaps_rollup")); err != nil {
		return u, fmt.Errorf("reading the memory of process %d: %w", pid, err)
	}
	return u, nil
}

// memory reads both sizes at one moment.
func memory(file string) (rss, pss int64, err error) {
	raw, err := os.ReadFile(file)
	if err != nil {
		return 0, 0, err
	}
	rss, err = number(raw, file, "Rss:")
	if err == nil {
		pss, err = number(raw, file, "Pss:")
	}
	return rss << 10, pss << 10, err
}

// cpuTime reads the 14th and 15th field; the second, in brackets, may hold anything.
func cpuTime(file string) (time.Duration, error) {
	raw, err := os.ReadFile(file)
	if err != nil {
		return 0, err
	}
	fields := strings.Fields(string(raw[bytes.LastIndexByte(raw, ')')+1:]))
	if len(fields) < 13 {
		return 0, fmt.Errorf("%s has %d fields", file, len(fields))
	}
	user, err1 := strconv.ParseInt(fields[11], 10, 64)
	system, err2 := strconv.ParseInt(fields[12], 10, 64)
	return time.Duration(user+system) * tick, errors.Join(err1, err2)
}

func written(file string) (int64, error) {
	raw, err := os.ReadFile(file)
	if err != nil {
		return 0, err
	}
	return number(raw, file, "write_bytes:")
}

// number reads the number behind a name at the start of a line of a file's text.
func number(text []byte, file, name string) (int64, error) {
	for line := range bytes.Lines(text) {
		if f := strings.Fields(string(line)); len(f) > 1 && f[0] == name {
			return strconv.ParseInt(f[1], 10, 64)
		}
	}
	return 0, fmt.Errorf("%s has no %s", file, name)
}

// Stored returns the size of all files below a folder.
func Stored(dir string) (total int64, err error) {
	err = filepath.WalkDir(dir, func(_ string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return passGone(err)
		}
		info, err := d.Info()
		if err == nil {
			total += info.Size()
		}
		return passGone(err)
	})
	return total, err
}

// passGone passes over files that were removed meanwhile.
func passGone(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// Children are the processes that this one has started and that are still there; none
// where there is no /proc.
func Children() (pids []int, err error) {
	if runtime.GOOS != "linux" {
		return nil, nil
	}
	stats, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		return nil, err
	}
	for _, file := range stats {
		raw, err := os.ReadFile(file)
		if err != nil {
			continue // it ended
		}
		fields := strings.Fields(string(raw[bytes.LastIndexByte(raw, ')')+1:]))
		if len(fields) < 2 || fields[1] != strconv.Itoa(os.Getpid()) {
			continue
		}
		pid, err := strconv.Atoi(filepath.Base(filepath.Dir(file)))
		if err != nil {
			return nil, err
		}
		pids = append(pids, pid)
	}
	return pids, nil
}

// Package vault has the secrets that workflows see, some of which change while a
// worker runs: those that stand in a file, or that a command prints.
//
// Obligations:
//
//  1. A value stands in no log and no error, and neither does what a command wrote.
//  2. What cannot be had at the start is an error, of all secrets at once. Later the
//     last good value is kept, and a warning says why, once until it is good again.
//  3. A command gets no shell, a bounded time, and a bounded room for what it prints.
package vault

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"slices"
	"strings"
	"sync/atomic"
	"time"
	"unicode/utf8"

	"go.uber.org/zap"

	"zflow/internal/child"
)

const (
	maxValue = 64 << 10
	looking  = 2 * time.Second  // how often files are looked at
	patience = 30 * time.Second // that a command may take
)

// Source is where a secret comes from: a text, a file, or a command.
type Source struct {
	Text    string
	File    string
	Command []string      // the program and its arguments
	TTL     time.Duration // after which a command is run again
}

// Vault holds secrets by name.
type Vault struct {
	sources []*source // those that change
	values  atomic.Pointer[map[string]string]
	sealed  atomic.Pointer[map[string]any]
	seal    func(string) string
	log     *zap.Logger
	patient time.Duration
}

// source is a secret that changes.
type source struct {
	Source
	name   string
	seen   fs.FileInfo // the file, as it was read
	due    time.Time   // when a command is run again
	failed bool        // the last time
}

// Open reads all secrets. seal makes of a value what runs see.
func Open(ctx context.Context, from map[string]Source, seal func(string) string, log *zap.Logger) (*Vault, error) {
	v := &Vault{seal: seal, log: log, patient: patience}
	values := make(map[string]string, len(from))
	var faults []error
	for _, name := range slices.Sorted(maps.Keys(from)) {
		s := &source{Source: from[name], name: name}
		if s.File == "" && len(s.Command) == 0 {
			values[name] = s.Text
			continue
		}
		value, err := v.read(ctx, s)
		if err != nil {
			faults = append(faults, fmt.Errorf("secrets.%s: %w", name, err))
		}
		values[name] = value
		v.sources = append(v.sources, s)
	}
	v.put(values, nil)
	return v, errors.Join(faults...)
}

// Values are the secrets as they are now, readable. Nobody changes the map.
func (v *Vault) Values() map[string]string { return *v.values.Load() }

// Sealed are the secrets as runs see them. Nobody changes the map.
func (v *Vault) Sealed() map[string]any { return *v.sealed.Load() }

// put takes values; those that are as they were keep what was sealed.
func (v *Vault) put(values map[string]string, old map[string]string) {
	sealed := make(map[string]any, len(values))
	for name, value := range values {
		if was, ok := old[name]; ok && was == value {
			sealed[name] = v.Sealed()[name]
			continue
		}
		sealed[name] = v.seal(value)
	}
	v.values.Store(&values)
	v.sealed.Store(&sealed)
}

// Run keeps the secrets fresh until ctx ends. Where none changes it returns at once.
func (v *Vault) Run(ctx context.Context) {
	if len(v.sources) == 0 {
		return
	}
	tick := time.NewTicker(looking)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			v.Refresh(ctx)
		}
	}
}

// Refresh reads files that have changed, and runs commands whose time has come.
func (v *Vault) Refresh(ctx context.Context) {
	old := v.Values()
	fresh := maps.Clone(old)
	for _, s := range v.sources {
		if !s.changed() {
			continue
		}
		value, err := v.read(ctx, s)
		switch {
		case ctx.Err() != nil:
			return
		case err == nil:
			fresh[s.name], s.failed = value, false
		case !s.failed:
			v.log.Warn("a secret cannot be read again; its last value is kept", zap.String("secret", s.name), zap.Error(err))
			s.failed = true
		}
	}
	if !maps.Equal(old, fresh) {
		v.put(fresh, old)
	}
}

// changed tells whether it is worth reading it again.
func (s *source) changed() bool {
	if s.File == "" {
		return !time.Now().Before(s.due)
	}
	info, err := os.Stat(s.File)
	return s.failed || err != nil || s.seen == nil || !os.SameFile(info, s.seen) || info.Size() != s.seen.Size() || !info.ModTime().Equal(s.seen.ModTime())
}

func (v *Vault) read(ctx context.Context, s *source) (string, error) {
	if s.File != "" {
		return s.readFile()
	}
	s.due = time.Now().Add(s.TTL)
	value, err := v.run(ctx, s.Command)
	if err != nil { // sooner than that, but not all the time
		s.due = time.Now().Add(min(s.TTL, time.Minute))
	}
	return value, err
}

// othersRead are the mode's bits that let everybody read a file.
const othersRead fs.FileMode = 0o004

func (s *source) readFile() (string, error) {
	f, err := os.Open(s.File)
	if err != nil {
		return "", fmt.Errorf("reading its file: %w", err)
	}
	defer f.Close()
	info, err := f.Stat()
	switch {
	case err != nil:
		return "", fmt.Errorf("reading its file: %w", err)
	case !info.Mode().IsRegular():
		return "", fmt.Errorf("%s is no plain file", s.File)
	case info.Mode()&othersRead != 0:
		return "", fmt.Errorf("%s can be read by everybody (mode %04o): chmod o-r it", s.File, info.Mode().Perm())
	}
	raw, err := io.ReadAll(io.LimitReader(f, maxValue+1))
	if err != nil {
		return "", fmt.Errorf("reading its file: %w", err)
	}
	value, err := valueOf(raw, "the file "+s.File)
	if err == nil {
		s.seen = info
	}
	return value, err
}

// valueOf cuts the newline at the end off.
func valueOf(raw []byte, what string) (string, error) {
	value := bytes.TrimRight(raw, "\r\n")
	switch {
	case len(raw) > maxValue:
		return "", fmt.Errorf("%s has more than %d KiB", what, maxValue>>10)
	case len(value) == 0:
		return "", fmt.Errorf("%s is empty", what)
	case !utf8.Valid(value):
		return "", fmt.Errorf("%s is no text in UTF-8", what)
	}
	return string(value), nil
}

// run runs a command. What it writes is told to nobody, since it may be the secret.
func (v *Vault) run(ctx context.Context, command []string) (string, error) {
	what := "the command " + command[0]
	flooded := make(chan struct{})
	stdout := &child.Bounded{Limit: maxValue, Over: func() { close(flooded) }}
	c, err := child.Start(child.Program{Path: command[0], Args: command[1:], Env: environ(), Stdin: strings.NewReader(""), Stdout: stdout, Stderr: &child.Bounded{}})
	if err != nil {
		return "", err
	}
	late := time.NewTimer(v.patient)
	defer late.Stop()
	select {
	case <-c.Done():
	case <-flooded:
		err = fmt.Errorf("%s wrote more than %d KiB", what, maxValue>>10)
	case <-late.C:
		err = fmt.Errorf("%s took longer than %s", what, v.patient)
	case <-ctx.Done():
		err = ctx.Err()
	}
	c.Kill()
	end, failed := c.Wait()
	switch {
	case err != nil:
		return "", err
	case failed != nil:
		return "", fmt.Errorf("%s: %w", what, failed)
	case end.Signal != "":
		return "", fmt.Errorf("%s was ended by a signal (%s)", what, end.Signal)
	case end.Code != 0:
		return "", fmt.Errorf("%s ended with code %d; run it by hand, as the user of the worker, to see what it says", what, end.Code)
	case stdout.Exceeded():
		return "", fmt.Errorf("%s wrote more than %d KiB", what, maxValue>>10)
	}
	return valueOf(stdout.Bytes(), "what "+what+" prints")
}

// environ is nothing of the worker's own: what a program is configured by is written
// down in the command, as env does it.
func environ() []string {
	home, err := os.UserHomeDir()
	if err != nil {
		home = "/"
	}
	return []string{"PATH=/usr/local/bin:/usr/bin:/bin", "HOME=" + home, "LANG=C.UTF-8", "TZ=UTC"}
}

package node

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// Least is the oldest Node.js that code runs on.
const Least = 20

// Found is what a Node.js can do.
type Found struct {
	Path       string
	Version    string // v20.20.2
	Permission string // its flag that takes files, processes and threads away; empty: it has none
	NoNetwork  bool   // code can be kept from the network
	namespace  bool   // … by the kernel
	cutsNet    bool   // the flag takes the network away too
}

// Find looks for a Node.js and what it can do. An empty path looks where programs are.
func Find(path string) (Found, error) {
	if path == "" {
		path = "node"
	}
	f := Found{}
	var err error
	if f.Path, err = exec.LookPath(path); err != nil {
		return f, fmt.Errorf("there is no Node.js here (%w): code steps need Node.js %d or newer", err, Least)
	}
	if err = f.probe(); err != nil {
		return f, err
	}
	major := majorOf(f.Version)
	if major < Least {
		return f, fmt.Errorf("%s is Node.js %s: code steps need %d or newer", f.Path, f.Version, Least)
	}
	f.cutsNet = f.Permission != "" && major >= 25
	f.namespace = canIsolate && isolates(f.Path)
	f.NoNetwork = f.namespace || f.cutsNet
	return f, nil
}

// probe finds the version, and which flag there is.
func (f *Found) probe() error {
	for _, flag := range []string{"--permission", "--experimental-permission"} {
		said, err := ask(f.Path, nil, false, flag, "--no-warnings", "-p", "process.version + ' ' + process.permission.has('child')")
		if version, may, _ := strings.Cut(said, " "); err == nil && may == "false" {
			f.Version, f.Permission = version, flag
			return nil
		}
	}
	var err error
	if f.Version, err = ask(f.Path, nil, false, "--version"); err != nil {
		return fmt.Errorf("asking %s for its version: %w", f.Path, err)
	}
	return nil
}

// isolates tells whether the kernel lets us give a process a network of its own.
func isolates(path string) bool {
	said, err := ask(path, []string{}, true, "-p", "1+1")
	return err == nil && said == "2"
}

func ask(path string, env []string, isolate bool, args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, path, args...)
	cmd.Env = append(env, "TZ=UTC")
	cmd.SysProcAttr = attributes(isolate)
	cmd.WaitDelay = time.Second
	out, err := cmd.Output()
	return strings.TrimSpace(string(out)), err
}

var versionForm = regexp.MustCompile(`^v(\d+)\.`)

func majorOf(version string) int {
	m := versionForm.FindStringSubmatch(version)
	if m == nil {
		return 0
	}
	n, _ := strconv.Atoi(m[1]) // of digits
	return n
}

// errNoCut says that what was asked for cannot be had: then no code runs at all.
var errNoCut = errors.New("code is to have no network, and neither can this system take it away (it needs user namespaces) nor this Node.js (it needs 25 or newer)")

// flagsFor are the arguments of a process.
func (f Found) flagsFor(o Options, runner string) ([]string, error) {
	heap := max(o.Memory>>20, 16)
	flags := []string{"--no-warnings", "--stack-trace-limit=20", fmt.Sprintf("--max-old-space-size=%d", heap)}
	if f.Permission != "" {
		flags = append(flags, f.Permission, "--allow-fs-read="+runner)
	}
	switch {
	case o.Network && f.cutsNet:
		flags = append(flags, "--allow-net")
	case !o.Network && !f.NoNetwork:
		return nil, errNoCut
	}
	return append(flags, runner), nil
}

package settings

import (
	"path/filepath"
	"strings"
	"time"
)

// Known is a secret that workflows may know: a text, or where a worker gets it, again
// and again.
type Known struct {
	Secret  `yaml:""`
	File    string   `yaml:"file" config:"path"` // read again when it changes
	Command []string `yaml:"command"`            // a program and its arguments: what it prints
	TTL     Duration `yaml:"ttl"`                // after which the command is run again; 0: 10m
}

// afterAll is how long what a command printed holds.
const afterAll = Duration(10 * time.Minute)

func (l *loading) checkSecrets() {
	for _, name := range keys(l.config.Secrets) {
		path, s := "secrets."+name, l.config.Secrets[name]
		l.checkName(path, name, secretName)
		switch {
		case s.File != "" && s.Command != nil:
			l.fault(l.at(path), "%s has both file and command: leave one out", path)
		case s.Command == nil && s.TTL != 0:
			l.fault(l.at(path+".ttl"), "%s.ttl is for a command; a file is read again when it changes", path)
		case s.File != "":
			l.private(s.File, l.at(path+".file"))
		case s.Command != nil:
			l.checkCommand(path, s)
		}
		if s.Command != nil && s.TTL == 0 {
			s.TTL = afterAll
			l.config.Secrets[name] = s
		}
	}
}

func (l *loading) checkCommand(path string, s Known) {
	switch {
	case len(s.Command) == 0 || s.Command[0] == "":
		l.fault(l.at(path+".command"), "%s.command is empty: write [program, argument, …]", path)
	case strings.ContainsRune(s.Command[0], '/') && !filepath.IsAbs(s.Command[0]):
		l.fault(l.at(path+".command"), "%s.command begins with %q: write a whole path, or a name that PATH has", path, s.Command[0])
	case s.TTL != 0 && s.TTL < Duration(time.Second):
		l.fault(l.at(path+".ttl"), "%s.ttl must be at least 1s", path)
	}
}

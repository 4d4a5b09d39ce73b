//go:build !linux

package child

import (
	"os"
	"syscall"
)

// Limited says that limits are kept on this system.
const Limited = false

// Attributes are none here.
func Attributes() *syscall.SysProcAttr { return &syscall.SysProcAttr{} }

func keepOurs() {}

// Limit sets none here.
func Limit(int, Limits) error { return nil }

// awaitExit cannot: there are no groups of processes here either.
func awaitExit(int) bool { return false }

// KillGroup ends the process: there are no groups here.
func KillGroup(p *os.Process) { _ = p.Kill() }

func inGroup(int) int { return 0 }

func killMarked(string) {}

func ended(s *os.ProcessState) End {
	if s == nil {
		return End{Code: -1, Signal: "lost"}
	}
	if s.ExitCode() < 0 {
		return End{Code: -1, Signal: s.String()}
	}
	return End{Code: s.ExitCode()}
}

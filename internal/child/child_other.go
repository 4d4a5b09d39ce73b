//go:build !linux

package child

import (
	"os"
	"syscall"
)

// Limited says that limits are kept on this system.
const Limited = false

func attributes() *syscall.SysProcAttr { return &syscall.SysProcAttr{} }

func keepOurs() {}

func limit(int, Limits) error { return nil }

// awaitExit cannot: there are no groups of processes here either.
func awaitExit(int) bool { return false }

func killGroup(p *os.Process) { _ = p.Kill() }

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

package reconciletest

import (
	"bytes"
	"fmt"
	"os"
	"syscall"
)

// running reports whether the process exists and has not ended. Who adopts the
// children of a killed process may be slow to take note of their end; the system
// lists them until then, on Linux with the state Z.
func running(pid int) bool {
	p, err := os.FindProcess(pid)
	if err != nil || p.Signal(syscall.Signal(0)) != nil {
		return false
	}
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return !os.IsNotExist(err) || !onLinux()
	}
	_, state, found := bytes.Cut(stat, []byte(") "))
	return !found || state[0] != 'Z'
}

func onLinux() bool {
	_, err := os.Stat("/proc/self/stat")
	return err == nil
}

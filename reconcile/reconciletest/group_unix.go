//go:build unix

package reconciletest

import "syscall"

// ownGroup keeps the signals of a terminal away from the control plane: a program
// that is interrupted may still need it to clean up.
func ownGroup() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }

//go:build !unix

package reconciletest

import "syscall"

func ownGroup() *syscall.SysProcAttr { return nil }

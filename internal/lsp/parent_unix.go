//go:build !windows

package lsp

import (
	"errors"
	"syscall"
)

// alive reports whether a process is there; it may be another user's.
func alive(pid int) bool {
	err := syscall.Kill(pid, 0)
	return err == nil || errors.Is(err, syscall.EPERM)
}

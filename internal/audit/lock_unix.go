//go:build unix

package audit

import (
	"os"
	"syscall"
)

// lock waits for the file; closing it unlocks.
func lock(f *os.File) error { return syscall.Flock(int(f.Fd()), syscall.LOCK_EX) }

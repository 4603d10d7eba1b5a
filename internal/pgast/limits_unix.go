//go:build unix

package pgast

import "syscall"

// depthLimit is maxDepth, or less where the soft limit of the stack, which glibc
// also gives to threads, is so small that it would not do: a level takes about 360
// bytes, 1 KiB is counted. Binaries linked with musl need a stack of 1 MiB
// (-Wl,-z,stack-size=1048576), since its threads have 128 KiB.
func depthLimit() int {
	var r syscall.Rlimit
	if syscall.Getrlimit(syscall.RLIMIT_STACK, &r) != nil {
		return maxDepth
	}
	return int(min(uint64(r.Cur)>>10, maxDepth)) //nolint:unconvert // Cur is signed on FreeBSD
}

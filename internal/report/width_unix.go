//go:build unix

package report

import "golang.org/x/sys/unix"

// terminalWidth asks a terminal for its columns; 0 where it does not say.
func terminalWidth(fd uintptr) int {
	size, err := unix.IoctlGetWinsize(int(fd), unix.TIOCGWINSZ)
	if err != nil {
		return 0
	}
	return int(size.Col)
}

package report

import "golang.org/x/sys/windows"

// terminalWidth asks a console for its columns; 0 where it does not say.
func terminalWidth(fd uintptr) int {
	var info windows.ConsoleScreenBufferInfo
	if windows.GetConsoleScreenBufferInfo(windows.Handle(fd), &info) != nil {
		return 0
	}
	return int(info.Window.Right-info.Window.Left) + 1
}

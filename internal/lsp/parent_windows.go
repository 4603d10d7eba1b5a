package lsp

import "os"

// alive reports whether a process is there: on Windows finding one opens it.
func alive(pid int) bool {
	p, err := os.FindProcess(pid)
	if err != nil {
		return false
	}
	p.Release()
	return true
}

package lsp

import "time"

// watchParent ends the session when the client's process is gone: one that was killed
// may leave our input open, where others inherited it. A process that is not seen now
// belongs to another machine or container, and tells nothing.
func (s *Server) watchParent(pid int) {
	if pid <= 0 || !alive(pid) {
		return
	}
	go func() {
		tick := time.NewTicker(time.Second)
		defer tick.Stop()
		for {
			select {
			case <-s.ctx.Done():
				return
			case <-tick.C:
				if !alive(pid) {
					s.ends <- 1
					return
				}
			}
		}
	}()
}

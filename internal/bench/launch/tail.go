package launch

import (
	"bytes"
	"strings"
	"sync"
)

// tail keeps the end of what is written to it.
type tail struct {
	mu   sync.Mutex
	text []byte
}

const tailBytes = 4096

// Write never fails.
func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.text = append(t.text, p...)
	if over := len(t.text) - tailBytes; over > 0 {
		t.text = append([]byte(nil), t.text[over:]...)
	}
	return len(p), nil
}

// lines are the last ones, for the end of an error.
func (t *tail) lines() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	all := bytes.Split(bytes.TrimSpace(t.text), []byte("\n"))
	if len(all) > 5 {
		all = all[len(all)-5:]
	}
	s := strings.TrimSpace(string(bytes.Join(all, []byte("; "))))
	if s == "" {
		return ""
	}
	return ": " + s
}

package shadow

import (
	"os"
	"path/filepath"
	"testing"
	"time"
)

// TestSweep leaves what is there and what was begun just now.
func TestSweep(t *testing.T) {
	dir := t.TempDir()
	for name, age := range map[string]time.Duration{"15.18-aa": 48 * time.Hour, unfinished + "1": 2 * time.Hour, unfinished + "2": time.Minute} {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Join(path, "d"), 0o700); err != nil {
			t.Fatal(err)
		}
		at := time.Now().Add(-age)
		if err := os.Chtimes(path, at, at); err != nil {
			t.Fatal(err)
		}
	}
	sweep(dir)
	left, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil || len(left) != 2 {
		t.Errorf("left %v, %v", left, err)
	}
	if _, err := os.Stat(filepath.Join(dir, unfinished+"1")); err == nil {
		t.Error("what was begun two hours ago is still there")
	}
	sweep(filepath.Join(dir, "nowhere"))
}

// TestBaseInMemory: a server without rows is put into memory where there is room, but
// not where TMPDIR says another place.
func TestBaseInMemory(t *testing.T) {
	t.Setenv("TMPDIR", "")
	want := "/tmp"
	if room(memory) >= memoryRoom && open(memory) {
		want = memory
	}
	if got, err := baseDir(true); err != nil || got != want {
		t.Errorf("in memory: %s, %v; want %s", got, err, want)
	}
	if got, err := baseDir(false); err != nil || got == memory && open("/tmp") {
		t.Errorf("with rows: %s, %v", got, err)
	}
	t.Setenv("TMPDIR", "/tmp")
	if got, err := baseDir(true); err != nil || got != "/tmp" {
		t.Errorf("with TMPDIR: %s, %v", got, err)
	}
	if room("/nowhere") != 0 {
		t.Error("a directory that is not there has room")
	}
}

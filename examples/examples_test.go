// Package examples runs what the examples' own tests say: they are modules of
// their own, which go test ./... does not look into.
package examples

import (
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/planvet/planvet/internal/shadow/shadowtest"
)

// TestCasino runs the tests of casino on a real server.
func TestCasino(t *testing.T) {
	const dir = "casino"
	// go test caches a result under what the test itself opened: the example, and what it
	// imports from here.
	for _, tree := range []string{dir, "../querytrace", "../internal/slope", "../internal/pgast"} {
		err := filepath.WalkDir(tree, func(path string, _ fs.DirEntry, err error) error {
			if err == nil {
				_, err = os.Stat(path)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.Command("go", "test", "./...")
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "CASINO_DATABASE_URL="+shadowtest.URL(t))
	out, err := cmd.CombinedOutput()
	t.Logf("%s", out)
	if err != nil {
		t.Fatalf("go test in %s: %v", dir, err)
	}
}

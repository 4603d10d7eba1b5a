package consumers

import (
	"os/exec"
	"testing"
)

// fromNPM installs packages into a folder of the test's, without their scripts. Where
// there is no npm, or it reaches no registry, the test is skipped.
func fromNPM(t *testing.T, packages ...string) (dir string) {
	t.Helper()
	npm, err := exec.LookPath("npm")
	if err != nil {
		t.Skip("npm is not installed")
	}
	dir = t.TempDir()
	cmd := exec.Command(npm, append([]string{"install", "--no-audit", "--no-fund", "--ignore-scripts"}, packages...)...)
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Skipf("npm fetches no packages here: %v\n%s", err, out)
	}
	return dir
}

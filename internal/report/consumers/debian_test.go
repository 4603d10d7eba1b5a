package consumers

import (
	"os/exec"
	"path/filepath"
	"testing"
)

// fromDebian unpacks packages into a folder of the test's and installs nothing. Where
// there is no apt-get, or it reaches no packages, the test is skipped.
func fromDebian(t *testing.T, packages ...string) (root string) {
	t.Helper()
	for _, program := range []string{"apt-get", "dpkg-deb"} {
		if _, err := exec.LookPath(program); err != nil {
			t.Skip("this is no Debian: there is no " + program)
		}
	}
	dir, root := t.TempDir(), t.TempDir()
	apt := func(args ...string) (string, error) {
		cmd := exec.Command("apt-get", args...)
		cmd.Dir = dir
		out, err := cmd.CombinedOutput()
		return string(out), err
	}
	download := append([]string{"download"}, packages...)
	if _, err := apt(download...); err != nil {
		// The machine's lists may be old, or none: they are left as they are.
		own := []string{"-o", "Dir::State::lists=" + filepath.Join(dir, "lists"), "-o", "Dir::Cache=" + filepath.Join(dir, "cache")}
		out, err := apt(append(own, "update")...)
		if err == nil {
			out, err = apt(append(own, download...)...)
		}
		if err != nil {
			t.Skipf("apt-get fetches no packages here: %v\n%s", err, out)
		}
	}
	debs, err := filepath.Glob(filepath.Join(dir, "*.deb"))
	if err != nil || len(debs) != len(packages) {
		t.Fatalf("%d of %d packages, %v", len(debs), len(packages), err)
	}
	for _, deb := range debs {
		if out, err := exec.Command("dpkg-deb", "-x", deb, root).CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
	}
	return root
}

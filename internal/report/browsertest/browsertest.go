// Package browsertest shows a page in a real browser: a headless Chromium, driven
// over its debugging pipe. A test asks what a person would see: that nothing is
// logged, that nothing is loaded, where things stand, what a click does.
package browsertest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"testing"
	"time"
)

// Chromium's names on PATH.
var names = []string{"chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "chrome-headless-shell"}

// errNone says that there is no browser and none can be had.
var errNone = errors.New("no Chromium on PATH; PLANVET_TEST_BROWSER names one")

// find returns a browser: the one that PLANVET_TEST_BROWSER names, else one of PATH,
// else, under CI=true and as root, what apt-get installs.
func find() (string, error) {
	if path := os.Getenv("PLANVET_TEST_BROWSER"); path != "" {
		return path, nil
	}
	path, err := onPath()
	if err == nil || os.Getenv("CI") != "true" || os.Geteuid() != 0 {
		return path, err
	}
	if _, err := exec.LookPath("apt-get"); err != nil {
		return "", errNone
	}
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()
	install := exec.CommandContext(ctx, "sh", "-c",
		"apt-get -q update; apt-get -q -y --no-install-recommends -o DPkg::Lock::Timeout=240 install chromium fonts-dejavu-core")
	install.Env = append(os.Environ(), "DEBIAN_FRONTEND=noninteractive")
	if out, err := install.CombinedOutput(); err != nil {
		return "", fmt.Errorf("%w, and apt-get installs none: %w: %s", errNone, err, tail(out))
	}
	return onPath()
}

func tail(out []byte) []byte { return out[max(0, len(out)-300):] }

func onPath() (string, error) {
	for _, name := range names {
		if path, err := exec.LookPath(name); err == nil {
			return path, nil
		}
	}
	return "", errNone
}

// Start runs a browser for one test. With -short the test is skipped, and where no
// browser can be had too; one that is there and does not start is a failure under
// CI=true, and where PLANVET_TEST_BROWSER asks for it.
func Start(t testing.TB) *Browser {
	t.Helper()
	if testing.Short() {
		t.Skip("-short starts no browser")
	}
	path, err := find()
	if err != nil {
		t.Skipf("this test needs a browser: %v", err)
	}
	b, err := start(path, t.TempDir())
	if err != nil {
		// As root it refuses a sandbox; in many containers there can be none. The pages
		// are our own.
		b, err = start(path, t.TempDir(), "--no-sandbox")
	}
	if err != nil {
		if os.Getenv("CI") == "true" || os.Getenv("PLANVET_TEST_BROWSER") != "" {
			t.Fatalf("%s does not start: %v", path, err)
		}
		t.Skipf("%s does not start: %v", path, err)
	}
	t.Cleanup(b.stop)
	return b
}

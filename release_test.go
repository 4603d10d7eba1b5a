package planvet

import (
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
)

// Every platform that .goreleaser.yaml packs is built by a job of the release workflow, and
// is in one archive; `make release-check` runs the rest.
func TestReleasePlatforms(t *testing.T) {
	var conf struct {
		Builds []struct {
			ID, Skip string
			Env      []string
			Targets  []string
		}
		Archives []struct{ IDs []string }
	}
	var flow struct {
		Jobs struct {
			Build struct {
				Strategy struct {
					Matrix struct {
						Include []struct{ Target, Libc string }
					}
				}
			}
		}
	}
	for file, to := range map[string]any{".goreleaser.yaml": &conf, ".github/workflows/release.yml": &flow} {
		text, err := os.ReadFile(file)
		if err == nil {
			err = yaml.UnmarshalWithOptions(text, to, yaml.AllowDuplicateMapKey()) // merges overridden
		}
		if err != nil {
			t.Fatalf("%s: %v", file, err)
		}
	}
	var packed, built, archived []string
	for _, b := range conf.Builds {
		packed = append(packed, b.ID)
		target := strings.Join(strings.Split(b.Targets[0], "_")[:2], "_")
		libc := ""
		if slices.Contains(b.Env, "PLANVET_LIBC=musl") {
			libc = "_musl"
		}
		if b.ID != target+libc || len(b.Targets) != 1 || !strings.Contains(b.Skip, `"`+b.ID+`;"`) {
			t.Errorf("build %s is of %v with %v, skipped where %s", b.ID, b.Targets, b.Env, b.Skip)
		}
	}
	for _, a := range conf.Archives {
		archived = append(archived, a.IDs...)
	}
	for _, m := range flow.Jobs.Build.Strategy.Matrix.Include {
		built = append(built, m.Target)
		if strings.HasSuffix(m.Target, "_musl") != (m.Libc == "musl") {
			t.Errorf("the job of %s has the libc %q", m.Target, m.Libc)
		}
	}
	for _, list := range [][]string{packed, built, archived} {
		slices.Sort(list)
	}
	if len(packed) == 0 || !slices.Equal(packed, built) || !slices.Equal(packed, archived) {
		t.Errorf("packed are %v, built %v, in archives %v", packed, built, archived)
	}
}

// The scripts that need neither a compiler nor goreleaser.
func TestReleaseScripts(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("the scripts are sh")
	}
	script := func(dir, name string, env []string, args ...string) (string, error) {
		path, err := filepath.Abs(filepath.Join("tools", "release", name))
		if err != nil {
			t.Fatal(err)
		}
		cmd := exec.Command(path, args...)
		cmd.Dir, cmd.Env = dir, append(os.Environ(), env...)
		out, err := cmd.CombinedOutput()
		return string(out), err
	}
	if out, err := script(".", "notes", nil, "Unreleased"); err != nil || !strings.Contains(out, "### Added") || strings.Contains(out, "## [") {
		t.Errorf("notes of what is unreleased: %v\n%s", err, out)
	}
	if out, err := script(".", "notes", nil, "0.0.0-none"); err == nil || !strings.Contains(out, "no section 0.0.0-none") {
		t.Errorf("notes of a version that is none: %v\n%s", err, out)
	}
	dir := t.TempDir()
	for path, text := range map[string]string{"prebuilt/linux_arm64/planvet": "glibc", "prebuilt/linux_arm64_musl/planvet": "musl"} {
		if err := os.MkdirAll(filepath.Join(dir, filepath.Dir(path)), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, path), []byte(text), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for want, env := range map[string][]string{
		"glibc": {"GOOS=linux", "GOARCH=arm64", "PLANVET_LIBC="}, "musl": {"GOOS=linux", "GOARCH=arm64", "PLANVET_LIBC=musl"},
	} {
		out, err := script(dir, "prebuilt", env, "build", "-ldflags=-s -w", "-o", "dist/"+want+"/program", "./cmd/planvet")
		if text, _ := os.ReadFile(filepath.Join(dir, "dist", want, "program")); err != nil || string(text) != want {
			t.Errorf("%v gives %q, %v\n%s", env, text, err, out)
		}
	}
	if out, err := script(dir, "prebuilt", []string{"GOOS=darwin", "GOARCH=arm64"}, "build", "-o", "x", "."); err == nil || !strings.Contains(out, "prebuilt/darwin_arm64/planvet is not there") {
		t.Errorf("a platform that nobody built: %v\n%s", err, out)
	}
}

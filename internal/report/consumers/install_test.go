package consumers

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
)

// archive is a release's, with a program that says its version.
func archive(t *testing.T, version string) []byte {
	t.Helper()
	program := "#!/bin/sh\necho planvet version " + version + "\n"
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	w := tar.NewWriter(z)
	for name, text := range map[string]string{"README.md": "planvet", "planvet": program} {
		if err := w.WriteHeader(&tar.Header{Name: name, Mode: 0o755, Size: int64(len(text))}); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write([]byte(text)); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// The names that the script asks for are those that a release gives.
func TestReleaseNames(t *testing.T) {
	text, err := os.ReadFile("../../../.goreleaser.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"name_template: \"planvet_{{ .Version }}_{{ .Os }}_{{ .Arch }}\"\n    formats: [tar.gz]\n",
		"name_template: \"planvet_{{ .Version }}_{{ .Os }}_{{ .Arch }}_musl\"\n", "checksum:\n  name_template: checksums.txt\n",
	} {
		if !strings.Contains(string(text), want) {
			t.Errorf(".goreleaser.yaml has no\n%s", want)
		}
	}
}

// TestInstallScript runs the action's script that installs planvet: of a release, whose
// checksum is held, else built.
func TestInstallScript(t *testing.T) {
	if testing.Short() {
		t.Skip("planvet is built")
	}
	name := func(version string) string {
		return fmt.Sprintf("planvet_%s_%s_%s.tar.gz", version, runtime.GOOS, runtime.GOARCH)
	}
	sum := func(b []byte) string { return fmt.Sprintf("%x", sha256.Sum256(b)) }
	good := archive(t, "1.2.3")
	files := map[string]string{
		"/v1.2.3/" + name("1.2.3"): string(good),
		"/v1.2.3/checksums.txt":    strings.Repeat("0", 64) + "  planvet_1.2.3_plan9_amd64.tar.gz\n" + sum(good) + "  " + name("1.2.3") + "\n",
		"/v1.2.4/" + name("1.2.4"): string(archive(t, "tampered")),
		"/v1.2.4/checksums.txt":    sum(good) + "  " + name("1.2.4") + "\n",
		"/v1.2.5/" + name("1.2.5"): string(good),
		"/v1.2.5/checksums.txt":    sum(good) + "  another\n",
		"/v1.2.6/" + name("1.2.6"): string(good),
	}
	musl := strings.Replace(name("1.2.3"), ".tar.gz", "_musl.tar.gz", 1)
	files["/v1.2.3/"+musl] = string(archive(t, "1.2.3 of musl"))
	files["/v1.2.3/checksums.txt"] += sum([]byte(files["/v1.2.3/"+musl])) + "  " + musl + "\n"
	// machine is a PATH on which a program says something else.
	machine := func(program, says string) string {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, program), []byte("#!/bin/sh\n"+says+"\n"), 0o777); err != nil {
			t.Fatal(err)
		}
		return "PATH=" + dir + string(os.PathListSeparator) + os.Getenv("PATH")
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		text, ok := files[r.URL.Path]
		if !ok {
			http.NotFound(w, r)
			return
		}
		fmt.Fprint(w, text)
	}))
	defer server.Close()
	root, err := filepath.Abs("../../..")
	if err != nil {
		t.Fatal(err)
	}
	// The runner's folder of an action ends in its ref.
	taken := func(ref string) string {
		dir := filepath.Join(t.TempDir(), ref)
		if err := os.Symlink(root, dir); err != nil {
			t.Fatal(err)
		}
		return "GITHUB_ACTION_PATH=" + dir
	}
	c := newClone(t)
	for _, step := range []struct {
		name  string
		env   []string
		fails bool
		says  string
	}{
		{"a release", []string{"INPUT_VERSION=v1.2.3"}, false, "planvet version 1.2.3"},
		{"a release for musl", []string{"INPUT_VERSION=v1.2.3", machine("ldd", "echo 'musl libc (x86_64)' >&2; exit 1")}, false, "planvet version 1.2.3 of musl"},
		{"the action's release", []string{taken("v1.2.3")}, false, "planvet version 1.2.3"},
		{"another archive", []string{"INPUT_VERSION=v1.2.4"}, true, "::error title=planvet::" + name("1.2.4") + " is not what release v1.2.4 says"},
		{"no checksum", []string{"INPUT_VERSION=v1.2.5"}, true, "::error title=planvet::the checksums of release v1.2.5 do not name " + name("1.2.5")},
		{"no checksums", []string{"INPUT_VERSION=v1.2.6"}, true, "::error title=planvet::release v1.2.6 has no checksums"},
		{"a branch of the action", []string{taken("main")}, false, "planvet version devel"},
		{"no such release of the action", []string{taken("v9.9.9")}, false, "planvet version devel"},
		{"no such version", []string{"INPUT_VERSION=v9.9.9", "GOPROXY=off"}, true, "::error title=planvet::planvet v9.9.9 could not be built"},
		{"installed", []string{"INPUT_VERSION=installed"}, false, "planvet version devel"},
	} {
		temp := t.TempDir()
		path := filepath.Join(temp, "path")
		one := *c
		one.env = append(slices.Clone(c.env), "RUNNER_TEMP="+temp, "GITHUB_PATH="+path, "GITHUB_ACTION_PATH=/nowhere/main", "PLANVET_RELEASES="+server.URL, "GOFLAGS=-buildvcs=false")
		one.env = append(one.env, step.env...)
		out, err := one.run("bash", filepath.Join(root, "tools", "action", "install.sh"))
		if (err != nil) != step.fails || !strings.Contains(out, step.says) {
			t.Errorf("%s: %v\n%s", step.name, err, out)
		}
		added, _ := os.ReadFile(path)
		bin := filepath.Join(temp, "planvet-bin")
		if want := !step.fails && step.name != "installed"; (string(added) == bin+"\n") != want {
			t.Errorf("%s: on the PATH is %q", step.name, added)
		}
	}
}

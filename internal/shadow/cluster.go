package shadow

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// locales are tried in order. Not C first: under C a plain btree serves LIKE
// 'x%', which it does not on most production servers, and a shadow that credits
// more than production would refute what is true.
var locales = []string{"C.UTF-8", "en_US.UTF-8", "C"}

// makeCluster puts an initialised data directory at dir/d: a copy of the one in
// the cache, or a new one, which then goes into the cache.
func makeCluster(ctx context.Context, o Options, bin binaries, who account, guard *watchdog, dir string) error {
	data := filepath.Join(dir, "d")
	cached := ""
	if c, err := cacheDir(); err == nil {
		sum := sha256.Sum256([]byte(bin.banner + strings.Join(locales, " ")))
		cached = filepath.Join(c, "initdb", bin.version+"-"+hex.EncodeToString(sum[:4]))
	}
	if cached != "" && copyTree(cached, data, 0o700, copyFile) == nil {
		return who.ownAll(data)
	}
	os.RemoveAll(data)
	o.say("initialising PostgreSQL %s", bin.version)
	if err := initdb(ctx, bin, who, guard, data); err != nil {
		return err
	}
	if cached != "" {
		keep(data, cached)
	}
	return nil
}

func initdb(ctx context.Context, bin binaries, who account, guard *watchdog, data string) error {
	var err error
	for _, locale := range locales {
		var out bytes.Buffer
		cmd := bin.command("initdb", "-D", data, "-A", "trust", "-U", "postgres", "-E", "UTF8",
			"--locale="+locale, "--no-sync")
		cmd.Stdout, cmd.Stderr = &out, &out
		// A descendant that lives on must not keep Wait from returning.
		cmd.WaitDelay = 5 * time.Second
		if err := guard.start(cmd, who); err != nil {
			return err
		}
		stop := context.AfterFunc(ctx, func() { cmd.Process.Kill() })
		err = cmd.Wait()
		stop()
		if err == nil {
			return nil
		}
		err = fmt.Errorf("initdb: %w: %s", err, lastLine(out.String()))
		if e := os.RemoveAll(data); e != nil || ctx.Err() != nil {
			return err
		}
	}
	return err
}

// keep puts a copy of a fresh data directory into the cache, by a rename, so that
// a reader sees all of it or none. A failure costs only time later.
func keep(data, cached string) {
	if os.MkdirAll(filepath.Dir(cached), 0o700) != nil {
		return
	}
	tmp, err := os.MkdirTemp(filepath.Dir(cached), ".new-")
	if err != nil {
		return
	}
	defer os.RemoveAll(tmp)
	if copyTree(data, filepath.Join(tmp, "d"), 0o700, copyFile) == nil {
		os.Rename(filepath.Join(tmp, "d"), cached)
	}
}

// cacheDir is planvet's own folder in the user's cache.
func cacheDir() (string, error) {
	d, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	return filepath.Join(d, "planvet", "pg"), nil
}

// copyTree makes a twin of a tree of directories, files and symbolic links, with
// dirs as the mode of its directories; file makes the twin of a file.
func copyTree(from, to string, dirs fs.FileMode, file func(from, to string) error) error {
	return filepath.WalkDir(from, func(path string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(from, path)
		if err != nil {
			return err
		}
		dst := filepath.Join(to, rel)
		switch {
		case e.IsDir():
			return os.Mkdir(dst, dirs)
		case e.Type()&fs.ModeSymlink != 0:
			target, err := os.Readlink(path)
			if err != nil {
				return err
			}
			return os.Symlink(target, dst)
		}
		return file(path, dst)
	})
}

func copyFile(from, to string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	st, err := in.Stat()
	if err != nil {
		return err
	}
	out, err := os.OpenFile(to, os.O_CREATE|os.O_EXCL|os.O_WRONLY, st.Mode().Perm())
	if err != nil {
		return err
	}
	if _, err := io.Copy(out, in); err != nil {
		out.Close()
		return err
	}
	return out.Close()
}

// tail returns the last line of a log that says something.
func tail(path string) string {
	text, err := os.ReadFile(path)
	if err != nil {
		return err.Error()
	}
	return lastLine(string(text))
}

func lastLine(text string) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	for i := len(lines) - 1; i >= 0; i-- {
		if l := strings.TrimSpace(lines[i]); strings.Contains(l, "FATAL") || strings.Contains(l, "error") {
			return l
		}
	}
	return strings.TrimSpace(lines[len(lines)-1])
}

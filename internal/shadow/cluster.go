package shadow

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"
)

// locales are tried in order. Not C first: under C a plain btree serves LIKE
// 'x%', which it does not on most production servers, and a shadow that credits
// more than production would refute what is true.
var locales = []string{"C.UTF-8", "en_US.UTF-8", "C"}

// initArgs make a small cluster: its log of 1 MB segments is copied with each server.
var initArgs = []string{"-A", "trust", "-U", "postgres", "-E", "UTF8", "--wal-segsize=1", "--no-sync"}

// makeCluster puts an initialised data directory at dir/d: a copy of the one in
// the cache, or a new one, which then goes into the cache.
func makeCluster(ctx context.Context, o Options, bin binaries, who account, guard *watchdog, dir string) error {
	data := filepath.Join(dir, "d")
	cached := ""
	if c, err := cacheDir(); err == nil {
		sum := sha256.Sum256([]byte(bin.banner + strings.Join(locales, " ") + strings.Join(initArgs, " ")))
		cached = filepath.Join(c, "initdb", bin.version+"-"+hex.EncodeToString(sum[:4]))
	}
	if cached != "" {
		sweep(filepath.Dir(cached))
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
		cmd := bin.command("initdb", append([]string{"-D", data, "--locale=" + locale}, initArgs...)...)
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

// unfinished begins the names of what is being put into the cache.
const unfinished = ".new-"

// sweep removes from a folder of the cache what was begun an hour ago or more: whoever
// began it was killed.
func sweep(dir string) {
	begun, err := filepath.Glob(filepath.Join(dir, unfinished+"*"))
	if err != nil {
		return
	}
	for _, path := range begun {
		if st, err := os.Stat(path); err == nil && time.Since(st.ModTime()) > time.Hour {
			os.RemoveAll(path)
		}
	}
}

// keep puts a copy of a fresh data directory into the cache, by a rename, so that
// a reader sees all of it or none. A failure costs only time later.
func keep(data, cached string) {
	if os.MkdirAll(filepath.Dir(cached), 0o700) != nil {
		return
	}
	tmp, err := os.MkdirTemp(filepath.Dir(cached), unfinished)
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

// copyFile copies a file. A cluster has thousands, most of them of one block: system
// calls are what it costs.
func copyFile(from, to string) error {
	in, err := syscall.Open(from, syscall.O_RDONLY|syscall.O_CLOEXEC, 0)
	if err != nil {
		return &fs.PathError{Op: "open", Path: from, Err: err}
	}
	defer syscall.Close(in)
	var st syscall.Stat_t
	if err := syscall.Fstat(in, &st); err != nil {
		return &fs.PathError{Op: "stat", Path: from, Err: err}
	}
	out, err := syscall.Open(to, syscall.O_CREAT|syscall.O_EXCL|syscall.O_WRONLY|syscall.O_CLOEXEC, uint32(st.Mode)&0o777) //nolint:unconvert // Linux has 32 bits there, macOS 16
	if err != nil {
		return &fs.PathError{Op: "create", Path: to, Err: err}
	}
	err = copyBytes(in, out, st.Size)
	if e := syscall.Close(out); err == nil {
		err = e
	}
	if err != nil {
		return &fs.PathError{Op: "copy", Path: to, Err: err}
	}
	return nil
}

// pieces are buffers of copies.
var pieces = sync.Pool{New: func() any { b := make([]byte, 1<<18); return &b }}

// copyBytes copies so many bytes; a file that is shorter has changed.
func copyBytes(in, out int, size int64) error {
	buffer := pieces.Get().(*[]byte)
	defer pieces.Put(buffer)
	for size > 0 {
		n, err := syscall.Read(in, *buffer)
		switch {
		case errors.Is(err, syscall.EINTR):
			continue
		case err != nil:
			return err
		case n == 0:
			return io.ErrUnexpectedEOF
		}
		for piece := (*buffer)[:n]; len(piece) > 0; {
			k, err := syscall.Write(out, piece)
			if err != nil && !errors.Is(err, syscall.EINTR) {
				return err
			}
			piece = piece[max(k, 0):]
		}
		size -= int64(n)
	}
	return nil
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

package engine

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"sync"

	"github.com/planvet/planvet/rules"
)

// maxFile bounds what is read of one file: the parser's own limit.
const maxFile = 16 << 20

// tree is the project's files. It reads regular files of a bounded size alone (a
// pipe would block, a device never end), follows links to such, and remembers which
// folders and .sql files it could not read, so that they can be listed.
type tree struct {
	fs.FS
	mu     sync.Mutex
	unread map[string]string
}

func newTree(root string) *tree { return &tree{FS: os.DirFS(root), unread: map[string]string{}} }

// ReadFile implements fs.ReadFileFS.
func (t *tree) ReadFile(name string) ([]byte, error) {
	st, err := fs.Stat(t.FS, name)
	switch {
	case err != nil:
	case !st.Mode().IsRegular() && !st.IsDir():
		err = errors.New("it is a pipe, a socket or a device")
	case st.Size() > maxFile:
		err = fmt.Errorf("%d MiB is above the limit of %d MiB", st.Size()>>20, maxFile>>20)
	}
	var b []byte
	if err == nil {
		b, err = fs.ReadFile(t.FS, name)
	}
	if err != nil && strings.HasSuffix(strings.ToLower(name), ".sql") {
		t.remember(name, "cannot be read: ", err)
	}
	return b, err
}

// ReadDir implements fs.ReadDirFS. A file that a pattern such as */queries.sql takes
// for a folder is no problem of the tree's.
func (t *tree) ReadDir(name string) ([]fs.DirEntry, error) {
	es, err := fs.ReadDir(t.FS, name)
	if st, serr := fs.Stat(t.FS, name); err != nil && !errors.Is(err, fs.ErrNotExist) && (serr != nil || st.IsDir()) {
		t.remember(name, "this folder cannot be read: ", err)
	}
	return es, err
}

func (t *tree) remember(name, what string, err error) {
	var pe *fs.PathError
	if errors.As(err, &pe) {
		err = pe.Err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.unread[name] = what + err.Error()
}

// problems lists what could not be read.
func (t *tree) problems() []Problem {
	t.mu.Lock()
	defer t.mu.Unlock()
	var out []Problem
	for name, why := range t.unread {
		out = append(out, Problem{rules.Location{Path: name, Line: 1}, why})
	}
	return out
}

package shadow

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"
)

// account is who the server runs as. PostgreSQL refuses to run as root, so root
// lends it another user; everybody else runs it as himself.
type account struct {
	uid, gid int
	// other is set when that is not the user of this process.
	other bool
}

func runAs() (account, error) {
	if os.Geteuid() != 0 {
		return account{uid: os.Geteuid(), gid: os.Getegid()}, nil
	}
	for _, name := range []string{"postgres", "nobody"} {
		u, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, err1 := strconv.Atoi(u.Uid)
		gid, err2 := strconv.Atoi(u.Gid)
		if err1 == nil && err2 == nil && uid != 0 {
			return account{uid: uid, gid: gid, other: true}, nil
		}
	}
	return account{uid: 65534, gid: 65534, other: true}, nil
}

func (a account) credential() *syscall.Credential {
	if !a.other {
		return nil
	}
	return &syscall.Credential{Uid: uint32(a.uid), Gid: uint32(a.gid)}
}

// explain adds what to do where root may not become another user.
func (a account) explain(err error) error {
	if a.other && errors.Is(err, syscall.EPERM) {
		return fmt.Errorf("%w: root may not become user %d here; run planvet as an ordinary user, or name a server with --database-url", err, a.uid)
	}
	return err
}

// own hands a path to the account.
func (a account) own(path string) error {
	if !a.other {
		return nil
	}
	return os.Lchown(path, a.uid, a.gid)
}

// ownAll hands a tree to the account.
func (a account) ownAll(root string) error {
	if !a.other {
		return nil
	}
	return filepath.WalkDir(root, func(path string, _ fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		return a.own(path)
	})
}

// makeDirs creates directories that the account owns and others may not enter.
func makeDirs(who account, dirs ...string) error {
	for _, d := range dirs {
		if err := os.Mkdir(d, 0o700); err != nil {
			return err
		}
		if err := who.own(d); err != nil {
			return err
		}
	}
	return nil
}

// maxBase bounds the base directory's path: a socket's path has 107 bytes at most
// and /planvet-pg-123456789012/s/.s.PGSQL.5432 takes 42 of them.
const maxBase = 60

// baseDir is a directory that every user can reach and write to, with a short
// path: the user's TMPDIR where it is one.
//
// With inMemory a file system in memory comes first where it has room: making some
// thousand files takes most of the time of a server without rows. TMPDIR decides before.
func baseDir(inMemory bool) (string, error) {
	dirs := []string{os.TempDir(), "/tmp", "/var/tmp", memory}
	if inMemory && os.Getenv("TMPDIR") == "" && room(memory) >= memoryRoom {
		dirs = append([]string{memory}, dirs...)
	}
	for _, d := range dirs {
		if len(d) <= maxBase && filepath.IsAbs(d) && open(d) {
			return d, nil
		}
	}
	return "", errors.New("no directory for the server: /tmp is not writable, set TMPDIR to a short path that every user can enter")
}

// memory is where Linux has a file system in memory, memoryRoom how many bytes must be
// free there: a server without rows takes some 100 MB.
const (
	memory     = "/dev/shm"
	memoryRoom = 2 << 30
)

// room is how many bytes are free in a directory's file system; 0 where that is not
// known.
func room(dir string) uint64 {
	var st syscall.Statfs_t
	if syscall.Statfs(dir, &st) != nil {
		return 0
	}
	return uint64(st.Bavail) * uint64(st.Bsize) //nolint:unconvert // Bavail is signed on FreeBSD
}

// open reports whether a directory can be written to by this process and, where
// the server runs as another user, entered by everybody.
func open(dir string) bool {
	const writeAndEnter = 3
	return syscall.Access(dir, writeAndEnter) == nil && (os.Geteuid() != 0 || traversable(dir))
}

// traversable reports whether everybody may enter a directory and its parents.
func traversable(dir string) bool {
	for {
		st, err := os.Stat(dir)
		if err != nil || st.Mode().Perm()&0o001 == 0 {
			return false
		}
		up := filepath.Dir(dir)
		if up == dir {
			return true
		}
		dir = up
	}
}

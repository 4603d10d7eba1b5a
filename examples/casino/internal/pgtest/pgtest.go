// Package pgtest gives tests a database of their own on a real PostgreSQL.
package pgtest

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/jackc/pgx/v5"

	"example.com/casino/supabase"
)

// Database returns the URL of an empty database with the platform's objects and
// all migrations. It is made on the server of CASINO_DATABASE_URL, else on one
// started from local binaries; with neither, and with -short, the test is skipped.
func Database(t *testing.T) string {
	t.Helper()
	if testing.Short() {
		t.Skip("-short starts no server")
	}
	server := os.Getenv("CASINO_DATABASE_URL")
	if server == "" {
		server = start(t)
	}
	ctx := context.Background()
	admin, err := pgx.Connect(ctx, server)
	if err != nil {
		t.Fatalf("connecting to the test server: %v", err)
	}
	defer admin.Close(ctx)
	name := fmt.Sprintf("casino_test_%d", os.Getpid())
	quoted := pgx.Identifier{name}.Sanitize()
	if _, err := admin.Exec(ctx, "create database "+quoted); err != nil {
		t.Fatalf("creating the test database: %v", err)
	}
	t.Cleanup(func() {
		admin, err := pgx.Connect(ctx, server)
		if err != nil {
			t.Errorf("connecting to drop the test database: %v", err)
			return
		}
		defer admin.Close(ctx)
		if _, err := admin.Exec(ctx, "drop database "+quoted+" with (force)"); err != nil {
			t.Errorf("dropping the test database: %v", err)
		}
	})

	address, err := url.Parse(server)
	if err != nil {
		t.Fatalf("reading the server's URL: %v", err)
	}
	address.Path = "/" + name
	migrate(t, address.String())
	return address.String()
}

func migrate(t *testing.T, database string) {
	t.Helper()
	ctx := context.Background()
	conn, err := pgx.Connect(ctx, database)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(ctx)
	if err := supabase.Platform(ctx, conn); err != nil {
		t.Fatal(err)
	}
	applied, err := supabase.Migrate(ctx, conn)
	if err != nil {
		t.Fatal(err)
	}
	if len(applied) == 0 {
		t.Fatal("no migration was applied to an empty database")
	}
}

// start runs a server in a folder of its own, reached by a socket, and stops it
// when the test ends.
func start(t *testing.T) string {
	t.Helper()
	bin := binaries()
	if bin == "" {
		t.Skip("no PostgreSQL: set CASINO_DATABASE_URL, or put postgres and initdb on PATH")
	}
	// t.TempDir's names are too long for a socket.
	dir, err := os.MkdirTemp("", "casino")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	as := account(t, dir)
	data := filepath.Join(dir, "data")

	initdb := exec.Command(filepath.Join(bin, "initdb"), "-D", data, "-U", "postgres", "-A", "trust", "--no-sync", "--locale=C")
	initdb.Dir, initdb.SysProcAttr = dir, as
	if out, err := initdb.CombinedOutput(); err != nil {
		t.Fatalf("initdb: %v\n%s", err, out)
	}
	control := func(args ...string) ([]byte, error) {
		c := exec.Command(filepath.Join(bin, "pg_ctl"), append([]string{"-D", data, "-w", "-l", filepath.Join(dir, "log")}, args...)...)
		c.Dir, c.SysProcAttr = dir, as
		// The server inherits what it is given: a pipe would never reach its end.
		c.Stdout, c.Stderr = nil, nil
		err := c.Run()
		log, _ := os.ReadFile(filepath.Join(dir, "log"))
		return log, err
	}
	if log, err := control("-o", fmt.Sprintf("-c listen_addresses='' -c unix_socket_directories='%s' -c fsync=off", dir), "start"); err != nil {
		t.Fatalf("starting PostgreSQL: %v\n%s", err, log)
	}
	t.Cleanup(func() {
		if log, err := control("-m", "immediate", "stop"); err != nil {
			t.Errorf("stopping PostgreSQL: %v\n%s", err, log)
		}
	})
	return "postgres://postgres@/postgres?host=" + url.QueryEscape(dir)
}

// binaries returns the folder of postgres and initdb, the newest major first.
func binaries() string {
	var dirs []string
	if dir := os.Getenv("PLANVET_PG_BIN"); dir != "" {
		dirs = append(dirs, dir)
	}
	dirs = append(dirs, filepath.SplitList(os.Getenv("PATH"))...)
	debian, _ := filepath.Glob("/usr/lib/postgresql/*/bin")
	for i := len(debian) - 1; i >= 0; i-- {
		dirs = append(dirs, debian[i])
	}
	for _, dir := range dirs {
		if _, err := os.Stat(filepath.Join(dir, "initdb")); err == nil {
			return dir
		}
	}
	return ""
}

// account returns what a server has to be started with: PostgreSQL refuses to run
// as root, so root hands dir to another user.
func account(t *testing.T, dir string) *syscall.SysProcAttr {
	t.Helper()
	if os.Geteuid() != 0 {
		return nil
	}
	other, err := user.Lookup("postgres")
	if err != nil {
		other, err = user.Lookup("nobody")
	}
	if err != nil {
		t.Skip("no PostgreSQL: it does not run as root, and there is no other user")
	}
	uid, _ := strconv.ParseUint(strings.TrimSpace(other.Uid), 10, 32)
	gid, _ := strconv.ParseUint(strings.TrimSpace(other.Gid), 10, 32)
	if err := os.Chown(dir, int(uid), int(gid)); err != nil {
		t.Fatal(err)
	}
	return &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}}
}

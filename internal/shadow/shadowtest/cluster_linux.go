package shadowtest

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// Cluster is a server of one test, which the test may stop, start again on the same
// files, and follow by a standby. It is of the version that Server has.
type Cluster struct {
	bin, dir string
	who      *syscall.SysProcAttr
	proc     *exec.Cmd
}

// NewCluster makes a cluster and starts its server, with pg_stat_statements loaded and
// ready for standbys. When the test ends it is stopped and its files are removed.
func NewCluster(t testing.TB, settings ...string) *Cluster {
	t.Helper()
	c := emptyCluster(t)
	out, err := c.command("initdb", "-D", c.data(), "-A", "trust", "-U", "postgres", "-E", "UTF8", "--locale=C", "--no-sync").CombinedOutput()
	if err != nil {
		t.Fatalf("initdb: %v\n%s", err, out)
	}
	c.configure(t, append([]string{"shared_preload_libraries = 'pg_stat_statements'", "listen_addresses = ''", "fsync = off", "wal_level = replica",
		"max_wal_senders = 4", "wal_keep_size = '64MB'", "hot_standby = on", "max_connections = 30", "shared_buffers = '16MB'", "dynamic_shared_memory_type = mmap",
		"timezone = UTC", "unix_socket_directories = '" + c.dir + "'"}, settings...)...)
	c.Start(t)
	return c
}

// emptyCluster has a folder and no files in it.
func emptyCluster(t testing.TB) *Cluster {
	t.Helper()
	conn := Connect(t)
	c := &Cluster{}
	var twin string
	if err := conn.QueryRow(t.Context(), "select setting, current_setting('data_directory') from pg_config where name = 'BINDIR'").Scan(&c.bin, &twin); err != nil {
		t.Fatal(err)
	}
	var err error
	if c.dir, err = os.MkdirTemp("/tmp", "planvet-cluster-"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(c.dir) })
	c.who = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	if os.Geteuid() == 0 { // the server refuses to run as root
		st, err := os.Stat(twin)
		if err != nil {
			t.Fatal(err)
		}
		owner := st.Sys().(*syscall.Stat_t)
		c.who.Credential = &syscall.Credential{Uid: owner.Uid, Gid: owner.Gid}
		if err := os.Chown(c.dir, int(owner.Uid), int(owner.Gid)); err != nil {
			t.Fatal(err)
		}
	}
	return c
}

func (c *Cluster) data() string { return filepath.Join(c.dir, "d") }

func (c *Cluster) command(name string, args ...string) *exec.Cmd {
	cmd := exec.Command(filepath.Join(c.bin, name), args...)
	cmd.Dir, cmd.SysProcAttr = "/", c.who
	cmd.Env = []string{"PATH=" + c.bin + ":/usr/bin:/bin", "TZ=UTC", "LC_ALL=C", "LD_LIBRARY_PATH=" + filepath.Join(filepath.Dir(c.bin), "lib")}
	return cmd
}

func (c *Cluster) configure(t testing.TB, lines ...string) {
	t.Helper()
	f, err := os.OpenFile(filepath.Join(c.data(), "postgresql.conf"), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for _, l := range lines {
		fmt.Fprintln(f, l)
	}
}

// URL is the address of a database of it, reached as the superuser.
func (c *Cluster) URL(database string) string {
	return "postgres://postgres@/" + database + "?host=" + url.QueryEscape(c.dir) + "&sslmode=disable"
}

// Start starts the server and waits until it answers.
func (c *Cluster) Start(t testing.TB) {
	t.Helper()
	log, err := os.OpenFile(filepath.Join(c.dir, "log"), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	c.proc = c.command("postgres", "-D", c.data(), "-p", "5432")
	c.proc.Stdout, c.proc.Stderr = log, log
	if err := c.proc.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Stop)
	for range 600 {
		conn, err := pgx.Connect(t.Context(), c.URL("postgres"))
		if err == nil {
			conn.Close(t.Context())
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	said, _ := os.ReadFile(filepath.Join(c.dir, "log"))
	t.Fatalf("the server does not answer:\n%s", said)
}

// Stop ends the server as `pg_ctl stop -m fast` does. It may be called twice.
func (c *Cluster) Stop() {
	if c.proc == nil {
		return
	}
	c.proc.Process.Signal(syscall.SIGINT)
	c.proc.Wait()
	c.proc = nil
}

// Connect opens a connection that is closed when the test ends.
func (c *Cluster) Connect(t testing.TB, database string, setup ...string) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), c.URL(database))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close(context.Background()) })
	for _, sql := range setup {
		if _, err := conn.Exec(t.Context(), sql); err != nil {
			t.Fatalf("%v\n%s", err, sql)
		}
	}
	return conn
}

// Standby starts a second server that follows this one by streaming, and waits until it
// has all that is there now. Not every set of binaries has pg_basebackup, so it is made
// as the manual has it: a copy of the files between the start and the end of a backup.
func (c *Cluster) Standby(t testing.TB) *Cluster {
	t.Helper()
	conn := c.Connect(t, "postgres")
	s := emptyCluster(t)
	var label, version string
	ask := func(sql string, into ...any) {
		if err := conn.QueryRow(t.Context(), sql).Scan(into...); err != nil {
			t.Fatalf("%v\n%s", err, sql)
		}
	}
	ask("show server_version_num", &version)
	start, end := "pg_backup_start('standby', true)", "pg_backup_stop(false)"
	if version < "150000" {
		start, end = "pg_start_backup('standby', true, false)", "pg_stop_backup(false, false)"
	}
	var at string
	ask("select "+start+"::text", &at)
	copying := exec.Command("cp", "-a", c.data(), s.data())
	if out, err := copying.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	ask("select labelfile from "+end, &label)
	for name, text := range map[string]string{"backup_label": label, "standby.signal": ""} {
		path := filepath.Join(s.data(), name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if o := s.who.Credential; o != nil {
			if err := os.Chown(path, int(o.Uid), int(o.Gid)); err != nil {
				t.Fatal(err)
			}
		}
	}
	os.Remove(filepath.Join(s.data(), "postmaster.pid"))
	s.configure(t, "unix_socket_directories = '"+s.dir+"'", "primary_conninfo = 'host="+c.dir+" port=5432 user=postgres'", "wal_receiver_status_interval = '1s'")
	s.Start(t)
	s.CatchUp(t, conn)
	return s
}

// CatchUp waits until a standby has what its primary has now.
func (c *Cluster) CatchUp(t testing.TB, primary *pgx.Conn) {
	t.Helper()
	var at string
	if err := primary.QueryRow(t.Context(), "select pg_current_wal_flush_lsn()::text").Scan(&at); err != nil {
		t.Fatal(err)
	}
	conn := c.Connect(t, "postgres")
	for range 600 {
		var there bool
		if err := conn.QueryRow(t.Context(), "select pg_last_wal_replay_lsn() >= $1::text::pg_lsn and exists (select from pg_stat_wal_receiver)", at).Scan(&there); err != nil {
			t.Fatal(err)
		}
		if there {
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	t.Fatal("the standby does not catch up")
}

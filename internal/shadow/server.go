// Package shadow is a throwaway PostgreSQL: found or fetched, started on a
// socket of its own, filled with a project's migrations and with rows, and gone
// within seconds of planvet's end, however planvet ends.
package shadow

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"
)

// Options say which server to start.
type Options struct {
	// Major is the wanted major version, 13 to 18; 0 takes what is at hand.
	Major int
	// Bin is a folder with initdb and postgres; "" searches.
	Bin string
	// Local forbids fetching: only binaries on this machine are used.
	Local bool
	// InMemory is set for a server that will hold no rows to speak of: its files may go
	// into memory.
	InMemory bool
	// Settings are of the server, beside planvet's own: name=value.
	Settings []string
	// ForTwins names the superuser otherwise than a live server may name a role, see
	// Server.Twin.
	ForTwins bool
	// Template, where set, is what the server holds: a copy of a kept one, or filled now.
	Template *Template
	// Progress is told what goes on, one line at a time; nil is silent.
	Progress func(string)
}

func (o Options) say(format string, args ...any) {
	if o.Progress != nil {
		o.Progress(fmt.Sprintf(format, args...))
	}
}

// Server is a running throwaway server.
type Server struct {
	// dir holds everything of the server: d its data, s its socket, log its log.
	dir   string
	bin   binaries
	guard *watchdog
	proc  *exec.Cmd
	// done is closed when the server process has ended.
	done chan struct{}
	stop sync.Once
	// Note is what the maker of its template wrote.
	Note []byte
	// user is the superuser.
	user string
}

// settings make a server that forgets: no fsync, no workers in the background,
// no network. Parallel scans are off because two workers share no blocks twice,
// and a plan's blocks are to be the same in every run. Shared memory stays in
// the data directory, so that removing it removes all.
var settings = []string{
	"listen_addresses=", "fsync=off", "synchronous_commit=off", "full_page_writes=off",
	"autovacuum=off", "jit=off", "max_parallel_workers_per_gather=0", "max_parallel_maintenance_workers=0",
	"wal_level=minimal", "max_wal_senders=0", "max_wal_size=2GB", "min_wal_size=2MB", "wal_recycle=off", "wal_init_zero=off", "checkpoint_timeout=1h",
	"max_connections=30", "shared_buffers=128MB", "dynamic_shared_memory_type=mmap",
	"timezone=UTC", "log_timezone=UTC", "logging_collector=off", "log_min_messages=fatal",
	"unix_socket_permissions=0700", "max_prepared_transactions=0", "max_locks_per_transaction=256",
}

// Start starts a server. Stop must be called; if the process dies first, a
// watchdog stops the server and removes its directory within 5 s. The error is
// ErrNoServer's kind where there is no PostgreSQL to start.
func Start(ctx context.Context, o Options) (*Server, error) {
	bin, err := find(ctx, o)
	if err != nil {
		return nil, err
	}
	s := &Server{bin: bin, done: make(chan struct{}), user: "postgres"}
	if err := s.start(ctx, o); err != nil {
		s.Stop()
		return nil, fmt.Errorf("starting PostgreSQL from %s: %w", bin.dir, err)
	}
	return s, nil
}

func (s *Server) start(ctx context.Context, o Options) error {
	who, err := runAs()
	if err != nil {
		return err
	}
	base, err := baseDir(o.InMemory)
	if err != nil {
		return err
	}
	var id [6]byte
	rand.Read(id[:])
	s.dir = filepath.Join(base, "planvet-pg-"+hex.EncodeToString(id[:]))
	// The watchdog comes before the directory: there is no moment at which a
	// kill leaves something behind that nobody knows of.
	if s.guard, err = startWatchdog(s.dir); err != nil {
		return err
	}
	if err := makeDirs(who, s.dir, s.sockets()); err != nil {
		return err
	}
	if s.bin, err = s.bin.reachable(who, s.dir); err != nil {
		return err
	}
	if o.Template != nil && s.fromTemplate(ctx, o, who) {
		return nil
	}
	if err := makeCluster(ctx, o, s.bin, who, s.guard, s.dir); err != nil {
		return err
	}
	if err := s.run(ctx, o, who); err != nil || o.Template == nil {
		return err
	}
	return s.makeTemplate(ctx, o, who)
}

// run starts the postmaster and waits until it answers.
func (s *Server) run(ctx context.Context, o Options, who account) error {
	args := []string{"-D", s.data(), "-k", s.sockets(), "-p", "5432"}
	said, err := s.writeMark()
	if err != nil {
		return err
	}
	for _, c := range slices.Concat(settings, o.Settings, []string{said}) {
		args = append(args, "-c", c)
	}
	log, err := os.OpenFile(filepath.Join(s.dir, "log"), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	defer log.Close()
	cmd := s.bin.command("postgres", args...)
	cmd.Stdout, cmd.Stderr = log, log
	if err := s.guard.start(cmd, who); err != nil {
		return err
	}
	done := make(chan struct{})
	s.proc, s.done = cmd, done
	go func() {
		cmd.Wait()
		close(done)
	}()
	o.say("starting PostgreSQL %s", s.bin.version)
	if err := s.await(ctx); err != nil || !o.ForTwins {
		return err
	}
	return s.rename(ctx)
}

func (s *Server) await(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	for {
		conn, err := pgx.Connect(ctx, s.URL("postgres"))
		if err == nil {
			return conn.Close(ctx)
		}
		select {
		case <-s.done:
			return fmt.Errorf("it ended at once: %s", tail(filepath.Join(s.dir, "log")))
		case <-ctx.Done():
			return fmt.Errorf("it does not answer: %w", err)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// Explain says in one line why something that a server was asked failed: that it is
// gone and what it said last, or the error itself.
func (s *Server) Explain(err error) string {
	select {
	case <-s.done:
		text := "the server ended while it was being asked"
		if last := tail(filepath.Join(s.dir, "log")); strings.Contains(last, "PANIC") || strings.Contains(last, "FATAL") {
			text += ": " + last
		}
		return text
	// Its end reaches the connection before it reaches whoever waits for the process.
	case <-time.After(200 * time.Millisecond):
		return oneLine(err)
	}
}

// Stop stops the server and removes its directory. It may be called twice.
func (s *Server) Stop() error {
	var err error
	s.stop.Do(func() { err = s.shutdown() })
	return err
}

func (s *Server) shutdown() error {
	if s.proc != nil {
		s.proc.Process.Signal(syscall.SIGQUIT)
		select {
		case <-s.done:
		case <-time.After(3 * time.Second):
			s.proc.Process.Kill()
			<-s.done
		}
	}
	var err error
	if s.guard != nil {
		err = removeAll(s.dir)
		s.guard.dismiss()
	}
	return err
}

// removeAll removes a tree; children of a server that was killed may still be
// writing their last file, so it tries for a while.
func removeAll(dir string) error {
	var err error
	for range 20 {
		if err = os.RemoveAll(dir); err == nil {
			return nil
		}
		time.Sleep(50 * time.Millisecond)
	}
	return err
}

func (s *Server) data() string    { return filepath.Join(s.dir, "d") }
func (s *Server) sockets() string { return filepath.Join(s.dir, "s") }

// Version is the server's version as it prints it: 15.18.
func (s *Server) Version() string { return s.bin.version }

// Major is the server's major version: 15.
func (s *Server) Major() int { return s.bin.major }

// Bin is the folder of the programs that the server was started from.
func (s *Server) Bin() string { return s.bin.dir }

// Dir is the directory that holds all of the server.
func (s *Server) Dir() string { return s.dir }

// URL is where a database of the server is reached, as its superuser.
func (s *Server) URL(database string) string {
	u := url.URL{Scheme: "postgres", User: url.User(s.user), Path: "/" + database}
	q := url.Values{"host": {s.sockets()}, "port": {"5432"}, "sslmode": {"disable"}, "application_name": {"planvet"}}
	// A plus is a plus to who reads connection URLs as libpq does.
	u.RawQuery = strings.ReplaceAll(q.Encode(), "+", "%20")
	return u.String()
}

// NewDatabase creates a database and returns its URL.
func (s *Server) NewDatabase(ctx context.Context, name string) (string, error) {
	return s.CopyDatabase(ctx, name, "template0")
}

// CopyDatabase creates a database as a copy of another, to which nobody may be
// connected, and returns its URL.
func (s *Server) CopyDatabase(ctx context.Context, name, template string) (string, error) {
	if err := s.administer(ctx, "create database "+quote(name)+" template "+quote(template)); err != nil {
		return "", fmt.Errorf("creating database %s: %w", name, err)
	}
	return s.URL(name), nil
}

// administer runs one statement as the superuser, in no database of ours.
func (s *Server) administer(ctx context.Context, sql string) error {
	conn, err := pgx.Connect(ctx, s.URL("postgres"))
	if err != nil {
		return err
	}
	_, err = conn.Exec(ctx, sql)
	return errors.Join(err, conn.Close(ctx))
}

func quote(name string) string { return pgx.Identifier{name}.Sanitize() }

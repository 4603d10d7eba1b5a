// Package launch starts what a benchmark measures, on a database of its own, and ends it
// with all that it has started.
package launch

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/planvet/planvet/internal/bench/suite"
	"github.com/planvet/planvet/internal/engine"
	"github.com/planvet/planvet/internal/shadow"
)

// Options say where it is started.
type Options struct {
	// Dir is the project's folder: commands run in it, and its migrations are those of
	// the throwaway database.
	Dir string
	// Progress is told what goes on; nil for nobody.
	Progress func(line string)
}

// Server is what runs.
type Server struct {
	// Values are for the suites: PORT, BASE_URL, DATABASE_URL, and those of the file.
	Values map[string]string
	// Notes say which migrations did not apply.
	Notes []string

	serve    *suite.Serve
	dir      string
	database *shadow.Server
	command  *exec.Cmd
	lifeline *os.File // see watched
	said     *tail
	ended    chan struct{}
}

// defaultTimeout is how long a server may take to answer; it may have to be built.
const defaultTimeout = 2 * time.Minute

// Start starts it: a database with the project's migrations, what makes rows, values that
// commands print, then the server, until it answers. What was started must be stopped.
func Start(ctx context.Context, s *suite.Serve, o Options) (_ *Server, err error) {
	out := &Server{Values: map[string]string{}, serve: s, dir: o.Dir}
	defer func() {
		if err != nil {
			err = errors.Join(err, out.Stop())
		}
	}()
	say := func(format string, args ...any) {
		if o.Progress != nil {
			o.Progress(fmt.Sprintf(format, args...))
		}
	}
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	out.Values["PORT"], out.Values["BASE_URL"] = port, "http://127.0.0.1:"+port
	if s.Shadow {
		if err := out.migrate(ctx, o, say); err != nil {
			return nil, err
		}
	}
	maps.Copy(out.Values, s.Env)
	if s.Prepare != "" {
		say("preparing: %s", s.Prepare)
		if _, err := out.output(ctx, o.Dir, s.Prepare); err != nil {
			return nil, fmt.Errorf("serve.prepare: %w", err)
		}
	}
	if out.database != nil {
		if err := vacuum(ctx, out.Values["DATABASE_URL"]); err != nil {
			return nil, err
		}
	}
	for _, name := range slices.Sorted(maps.Keys(s.Values)) {
		text, err := out.output(ctx, o.Dir, s.Values[name])
		if err != nil {
			return nil, fmt.Errorf("serve.values.%s: %w", name, err)
		}
		out.Values[name] = strings.TrimSpace(text)
	}
	say("starting: %s", s.Command)
	return out, out.listen(ctx)
}

// Restart ends the server and starts it again, on the same database.
func (s *Server) Restart(ctx context.Context) error {
	s.end()
	return s.listen(ctx)
}

func freePort() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", fmt.Errorf("looking for a free port: %w", err)
	}
	defer l.Close()
	_, port, err := net.SplitHostPort(l.Addr().String())
	return port, err
}

// migrate makes the throwaway database.
func (s *Server) migrate(ctx context.Context, o Options, say func(string, ...any)) error {
	project, err := engine.Open(engine.Options{Dir: o.Dir, NoGo: true})
	if err == nil {
		err = project.Load(ctx)
	}
	if err != nil {
		return err
	}
	if n := len(project.Databases); n != 1 {
		return &engine.Error{Kind: engine.Usage, Err: fmt.Errorf("serve.database: shadow is for a project with one database, this one has %d", n)}
	}
	say("starting a throwaway PostgreSQL")
	s.database, err = shadow.Start(ctx, shadow.Options{
		Major: project.Config.Postgres, Settings: []string{"shared_preload_libraries=pg_stat_statements"}, Progress: func(line string) { say("%s", line) },
	})
	if err != nil {
		return fmt.Errorf("starting a throwaway PostgreSQL: %w", err)
	}
	url, err := s.database.NewDatabase(ctx, "bench")
	if err != nil {
		return err
	}
	s.Values["DATABASE_URL"] = url
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	refused, err := shadow.Apply(ctx, conn, project.Databases[0].Replay)
	if err != nil {
		return fmt.Errorf("migrating the throwaway database: %w", err)
	}
	for _, r := range refused {
		s.Notes = append(s.Notes, fmt.Sprintf("not applied: %s:%d: %s", r.Path, max(r.Line, 1), r.Error))
	}
	if _, err := conn.Exec(ctx, "create extension if not exists pg_stat_statements"); err != nil {
		return fmt.Errorf("counting the statements of the throwaway database: %w", err)
	}
	return nil
}

func vacuum(ctx context.Context, url string) error {
	conn, err := pgx.Connect(ctx, url)
	if err == nil {
		defer conn.Close(context.WithoutCancel(ctx))
		_, err = conn.Exec(ctx, "vacuum analyze")
	}
	if err != nil {
		return fmt.Errorf("analysing the throwaway database: %w", err)
	}
	return nil
}

// shell is a command with the values in its environment, in a group of processes of its own.
func (s *Server) shell(dir, command string) *exec.Cmd {
	c := exec.Command("/bin/sh", "-c", command)
	c.Dir, c.Env = dir, os.Environ()
	for _, name := range slices.Sorted(maps.Keys(s.Values)) {
		c.Env = append(c.Env, name+"="+s.Values[name])
	}
	group(c)
	return c
}

// output is what a command prints. It ends with the context.
func (s *Server) output(ctx context.Context, dir, command string) (string, error) {
	c := s.shell(dir, command)
	said := &tail{}
	var out bytes.Buffer
	c.Stdout, c.Stderr = &out, said
	if err := c.Start(); err != nil {
		return "", err
	}
	stop := context.AfterFunc(ctx, func() { kill(c) })
	defer stop()
	if err := c.Wait(); err != nil {
		return "", fmt.Errorf("%s: %w%s", command, err, said.lines())
	}
	return out.String(), nil
}

// watched has the group of a server end when planvet does, however that ends: nobody else
// holds the other end of the pipe.
const watched = "{ cat <&3; kill -9 0; } >/dev/null 2>&1 & exec 3<&-; "

// listen starts the server and waits until it answers.
func (s *Server) listen(ctx context.Context) error {
	serve := s.serve
	read, write, err := os.Pipe()
	if err != nil {
		return err
	}
	defer read.Close()
	s.lifeline = write
	s.command, s.said, s.ended = s.shell(s.dir, watched+serve.Command), &tail{}, make(chan struct{})
	s.command.Stdout, s.command.Stderr, s.command.ExtraFiles = s.said, s.said, []*os.File{read}
	if err := s.command.Start(); err != nil {
		s.command = nil
		return fmt.Errorf("serve.command: %w", err)
	}
	go func(c *exec.Cmd, ended chan struct{}) {
		c.Wait()
		close(ended)
	}(s.command, s.ended)
	timeout := serve.Timeout
	if timeout == 0 {
		timeout = defaultTimeout
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	url := s.Values["BASE_URL"] + "/" + strings.TrimPrefix(serve.Ready, "/")
	client := &http.Client{Timeout: 2 * time.Second}
	defer client.CloseIdleConnections()
	for {
		r, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
		if err != nil {
			return fmt.Errorf("serve.ready: %w", err)
		}
		if answer, err := client.Do(r); err == nil {
			io.Copy(io.Discard, io.LimitReader(answer.Body, 1<<20))
			answer.Body.Close()
			return nil
		}
		select {
		case <-s.ended:
			return fmt.Errorf("serve.command: %s: ended before it answered at %s%s", serve.Command, url, s.said.lines())
		case <-ctx.Done():
			return fmt.Errorf("serve.command: %s: does not answer at %s: %w%s", serve.Command, url, ctx.Err(), s.said.lines())
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// end ends the server and all that it started.
func (s *Server) end() {
	if s.command != nil {
		terminate(s.command)
		select {
		case <-s.ended:
		case <-time.After(5 * time.Second):
		}
		kill(s.command) // who of its group is left, too
		<-s.ended
		s.command = nil
	}
	if s.lifeline != nil {
		s.lifeline.Close()
		s.lifeline = nil
	}
}

// Stop ends the server, all that it started, and the database. It ends no nil.
func (s *Server) Stop() error {
	if s == nil {
		return nil
	}
	s.end()
	if s.database == nil {
		return nil
	}
	err := s.database.Stop()
	s.database = nil
	return err
}

// Root is the folder in which a file of suites' commands run: that of the project.
func Root(file string) string {
	dir := filepath.Dir(file)
	if filepath.Base(dir) == ".perf" {
		dir = filepath.Dir(dir)
	}
	return dir
}

// Package shadow is a throwaway PostgreSQL: found or fetched, started on a
// socket of its own, filled with a project's migrations and with rows, and gone
// within seconds of planvet's end, however planvet ends.
package shadow

import (
	"context"
	"errors"
)

// Options say which server to start.
type Options struct {
	// Major is the wanted major version, 13 to 18; 0 takes what is at hand.
	Major int
	// Bin is a folder with initdb and postgres; "" searches.
	Bin string
	// Progress is told what goes on, one line at a time; nil is silent.
	Progress func(string)
}

// Server is a running throwaway server.
type Server struct{}

// ErrNoServer says that no PostgreSQL could be found or fetched; its text names
// the choices that the user has. Commands end with exit code 3.
var ErrNoServer = errors.New("no PostgreSQL to start")

// Start starts a server. Stop must be called; if the process dies first, a
// watchdog stops the server and removes its directory within 5 s.
func Start(ctx context.Context, o Options) (*Server, error) { return nil, ErrNoServer }

// Stop stops the server and removes its directory.
func (s *Server) Stop() error { return nil }

// Version is the server's version as it prints it: 15.18.
func (s *Server) Version() string { return "" }

// Major is the server's major version: 15.
func (s *Server) Major() int { return 0 }

// URL is where a database of the server is reached, as its superuser.
func (s *Server) URL(database string) string { return "" }

// NewDatabase creates a database and returns its URL.
func (s *Server) NewDatabase(ctx context.Context, name string) (string, error) { return "", ErrNoServer }

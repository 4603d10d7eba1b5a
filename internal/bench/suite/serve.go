package suite

import (
	"time"

	"github.com/planvet/planvet/internal/strictyaml"
)

// Serve is how what is measured is started before the suites and ended after them. Its
// commands are those of a shell, in the folder of the project. ${NAME} is the environment's
// for them, and for the suites: PORT is a free one, BASE_URL http://127.0.0.1:PORT, and,
// with Shadow, DATABASE_URL a throwaway database.
type Serve struct {
	// Shadow makes a throwaway PostgreSQL with the project's migrations.
	Shadow bool
	// Env are more variables.
	Env map[string]string
	// Prepare is run before the server is: it makes rows.
	Prepare string
	// Values are variables whose values commands print: a token.
	Values map[string]string
	// Command is the server. It is ready when Ready, a path, is answered with anything,
	// within Timeout.
	Command, Ready string
	Timeout        time.Duration
}

var serveFields = []strictyaml.Field[Serve]{
	{Name: "database", Read: func(r *reader, s *Serve, path string, n node) {
		s.Shadow = r.OneOf(path, n, "shadow", "given") == "shadow"
	}},
	{Name: "env", Read: func(r *reader, s *Serve, path string, n node) { s.Env = r.Texts(path, n) }},
	{Name: "prepare", Read: func(r *reader, s *Serve, path string, n node) { s.Prepare = r.Str(path, n) }},
	{Name: "values", Read: func(r *reader, s *Serve, path string, n node) { s.Values = r.Texts(path, n) }},
	{Name: "command", Read: func(r *reader, s *Serve, path string, n node) { s.Command = r.Str(path, n) }},
	{Name: "ready", Read: func(r *reader, s *Serve, path string, n node) { s.Ready = r.Str(path, n) }},
	{Name: "timeout", Read: func(r *reader, s *Serve, path string, n node) { s.Timeout = duration(r, path, n) }},
}

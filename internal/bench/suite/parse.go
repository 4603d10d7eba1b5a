package suite

import (
	"cmp"
	"strconv"
	"time"

	"github.com/goccy/go-yaml/ast"

	"github.com/planvet/planvet/internal/strictyaml"
)

type (
	reader = strictyaml.Reader
	node   = ast.Node
)

// Parse reads a file of suites; name stands in errors.
func Parse(name string, text []byte) (*File, error) {
	f := &File{}
	r := strictyaml.NewReader(name, "the file of suites")
	root := r.Parse(text)
	if r.Err == nil {
		strictyaml.Read(r, topFields, &top{file: f}, "", root)
	}
	if r.Err == nil && f.API == nil && f.DB == nil && f.E2E == nil {
		r.Fail(root, "no suites: begin with \"version: 1\", then suites with api, db or e2e")
	}
	return f, r.Err
}

type top struct{ file *File }

var topFields = []strictyaml.Field[top]{
	{Name: "version", Read: func(r *reader, _ *top, path string, n node) {
		if v := r.Count(path, n); r.Err == nil && v != 1 {
			r.Fail(n, "version %d is not one that this planvet reads: use 1", v)
		}
	}},
	{Name: "suites", Read: func(r *reader, t *top, path string, n node) {
		strictyaml.Read(r, suiteFields, t.file, path, n)
	}},
	{Name: "serve", Read: func(r *reader, t *top, path string, n node) {
		t.file.Serve = &Serve{}
		strictyaml.Read(r, serveFields, t.file.Serve, path, n)
		if r.Err == nil && t.file.Serve.Command == "" {
			r.Fail(n, "%s has no command", path)
		}
	}},
}

var suiteFields = []strictyaml.Field[File]{
	{Name: "api", Read: func(r *reader, f *File, path string, n node) {
		f.API = &API{}
		strictyaml.Read(r, withLoad(apiFields, func(a *API) *Load { return &a.Load }), f.API, path, n)
		if r.Err == nil && f.API.BaseURL == "" {
			r.Fail(n, "%s has no base_url", path)
		}
		base := f.API.Load.over(Load{Rate: defaultRate, Clients: 1, Workers: defaultWorkers, Warmup: apiWarmup, Timeout: defaultTimeout})
		f.API.Load = base
		for i := range f.API.Cases {
			f.API.Cases[i].Load = f.API.Cases[i].Load.over(base)
		}
		distinct(r, n, path, f.API.Cases, func(c Request) string { return c.Name })
	}},
	{Name: "db", Read: func(r *reader, f *File, path string, n node) {
		f.DB = &DB{}
		strictyaml.Read(r, withLoad(dbFields, func(d *DB) *Load { return &d.Load }), f.DB, path, n)
		f.DB.URL = cmp.Or(f.DB.URL, "${DATABASE_URL}")
		base := f.DB.Load.over(Load{Clients: 1, Workers: dbWorkers, Warmup: dbWarmup, Timeout: defaultTimeout})
		if r.Err == nil && base.Warmup < dbWarmup {
			r.Fail(n, "%s.warmup: %d is under the %d runs after which a prepared statement keeps its plan", path, base.Warmup, dbWarmup)
		}
		f.DB.Load = base
		for i := range f.DB.Cases {
			f.DB.Cases[i].Load = f.DB.Cases[i].Load.over(base)
		}
		distinct(r, n, path, f.DB.Cases, func(c Statement) string { return c.Name })
	}},
	{Name: "e2e", Read: func(r *reader, f *File, path string, n node) {
		f.E2E = &E2E{}
		strictyaml.Read(r, withLoad(e2eFields, func(s *E2E) *Load { return &s.Load }), f.E2E, path, n)
		base := f.E2E.Load.over(Load{Rate: e2eRate, Clients: 1, Workers: e2eWorkers, Warmup: e2eWarmup, Timeout: defaultTimeout})
		f.E2E.Load = base
		for i := range f.E2E.Flows {
			c := &f.E2E.Flows[i]
			c.Load = c.Load.over(base)
			for _, s := range c.Flat() {
				switch {
				case r.Err != nil:
				case s.Request != nil && f.E2E.BaseURL == "":
					r.Fail(n, "%s has no base_url, and step %s of flow %s has a path", path, s.Name, c.Name)
				case s.Statement != nil && f.E2E.DatabaseURL == "", c.DataSQL != "" && f.E2E.DatabaseURL == "":
					r.Fail(n, "%s has no database_url, and flow %s has SQL", path, c.Name)
				}
			}
		}
		distinct(r, n, path, f.E2E.Flows, func(c Flow) string { return c.Name })
	}},
}

// distinct refuses a suite without cases, and two cases of one name.
func distinct[T any](r *reader, n node, path string, cases []T, name func(T) string) {
	if len(cases) == 0 {
		r.Fail(n, "%s has no cases, or flows", path)
	}
	seen := map[string]bool{}
	for _, c := range cases {
		if seen[name(c)] {
			r.Fail(n, "%s: two cases are named %q", path, name(c))
		}
		seen[name(c)] = true
	}
}

// withLoad adds the fields of a load to those of what has one.
func withLoad[T any](fields []strictyaml.Field[T], of func(*T) *Load) []strictyaml.Field[T] {
	for _, f := range loadFields {
		fields = append(fields[:len(fields):len(fields)], strictyaml.Field[T]{Name: f.Name, Read: func(r *reader, t *T, path string, n node) {
			f.Read(r, of(t), path, n)
		}})
	}
	return fields
}

var loadFields = []strictyaml.Field[Load]{
	{Name: "rate", Read: func(r *reader, l *Load, path string, n node) {
		rate, err := strconv.ParseFloat(r.Str(path, n), 64)
		if r.Err == nil && (err != nil || !(rate > 0) || rate > 1e6) {
			r.Fail(n, "%s must be arrivals per second, more than 0", path)
		}
		l.Rate = rate
	}},
	{Name: "clients", Read: func(r *reader, l *Load, path string, n node) { l.Clients = atLeastOne(r, path, n) }},
	{Name: "workers", Read: func(r *reader, l *Load, path string, n node) { l.Workers = atLeastOne(r, path, n) }},
	{Name: "warmup", Read: func(r *reader, l *Load, path string, n node) { l.Warmup = atLeastOne(r, path, n) }},
	{Name: "iterations", Read: func(r *reader, l *Load, path string, n node) { l.Iterations = atLeastOne(r, path, n) }},
	{Name: "duration", Read: func(r *reader, l *Load, path string, n node) { l.Duration = duration(r, path, n) }},
	{Name: "timeout", Read: func(r *reader, l *Load, path string, n node) { l.Timeout = duration(r, path, n) }},
}

func atLeastOne(r *reader, path string, n node) int {
	v := r.Count(path, n)
	if r.Err == nil && (v < 1 || v > 1e9) {
		r.Fail(n, "%s: %d is not 1 or more", path, v)
	}
	return int(v)
}

func duration(r *reader, path string, n node) time.Duration {
	s := r.Str(path, n)
	d, err := time.ParseDuration(s)
	if r.Err == nil && (err != nil || d <= 0) {
		r.Fail(n, "%s: %q is no duration: write 500ms or 30s", path, s)
	}
	return d
}

var apiFields = []strictyaml.Field[API]{
	{Name: "base_url", Read: func(r *reader, a *API, path string, n node) { a.BaseURL = r.Str(path, n) }},
	{Name: "database_url", Read: func(r *reader, a *API, path string, n node) { a.DatabaseURL = r.Str(path, n) }},
	{Name: "headers", Read: func(r *reader, a *API, path string, n node) { a.Headers = r.Texts(path, n) }},
	{Name: "cases", Read: func(r *reader, a *API, path string, n node) {
		a.Cases = list(r, path, n, func(path string, n node) Request {
			q := Request{Method: "GET"}
			strictyaml.Read(r, withCase(requestFields, func(q *Request) *Case { return &q.Case }), &q, path, n)
			if r.Err == nil && q.Path == "" {
				r.Fail(n, "%s has no path", path)
			}
			q.Name = cmp.Or(q.Name, q.Method+" "+q.Path)
			q.Operation = cmp.Or(q.Operation, q.Name)
			return q
		})
	}},
}

var requestFields = []strictyaml.Field[Request]{
	{Name: "method", Read: func(r *reader, q *Request, path string, n node) { q.Method = r.Str(path, n) }},
	{Name: "path", Read: func(r *reader, q *Request, path string, n node) { q.Path = r.Str(path, n) }},
	{Name: "headers", Read: func(r *reader, q *Request, path string, n node) { q.Headers = r.Texts(path, n) }},
	{Name: "body", Read: func(r *reader, q *Request, path string, n node) { q.Body = r.Str(path, n) }},
	{Name: "expect", Read: func(r *reader, q *Request, path string, n node) {
		strictyaml.Read(r, expectFields, &q.Expect, path, n)
	}},
}

var expectFields = []strictyaml.Field[Expect]{
	{Name: "status", Read: func(r *reader, e *Expect, path string, n node) {
		if e.Status = int(r.Count(path, n)); r.Err == nil && (e.Status < 200 || e.Status > 599) {
			r.Fail(n, "%s: %d is no status of an answer", path, e.Status)
		}
	}},
	{Name: "contains", Read: func(r *reader, e *Expect, path string, n node) { e.Contains = r.Str(path, n) }},
	{Name: "equals", Read: func(r *reader, e *Expect, path string, n node) {
		s := r.Str(path, n)
		e.Equals = &s
	}},
}

var dbFields = []strictyaml.Field[DB]{
	{Name: "url", Read: func(r *reader, d *DB, path string, n node) { d.URL = r.Str(path, n) }},
	{Name: "fixture", Read: func(r *reader, d *DB, path string, n node) {
		d.Fixture = list(r, path, n, func(path string, n node) string { return r.Str(path, n) })
	}},
	{Name: "cases", Read: func(r *reader, d *DB, path string, n node) {
		d.Cases = list(r, path, n, func(path string, n node) Statement {
			s := Statement{Protocol: "prepared"}
			strictyaml.Read(r, withCase(dataFields, func(s *Statement) *Case { return &s.Case }), &s, path, n)
			switch {
			case r.Err != nil:
			case s.Name == "":
				r.Fail(n, "%s has no name", path)
			case s.SQL == "":
				r.Fail(n, "%s has no sql", path)
			case s.Load.Warmup != 0 && s.Load.Warmup < dbWarmup:
				r.Fail(n, "%s.warmup: %d is under the %d runs after which a prepared statement keeps its plan", path, s.Load.Warmup, dbWarmup)
			}
			s.Operation = cmp.Or(s.Operation, s.Name)
			if err := s.check(); err != nil && r.Err == nil {
				r.Fail(n, "%s: %v", path, err)
			}
			return s
		})
	}},
}

// dataFields are those of a statement that is a case: a flow's have the flow's data.
var dataFields = append([]strictyaml.Field[Statement]{{Name: "data", Read: func(r *reader, s *Statement, path string, n node) {
	s.Data = list(r, path, n, func(path string, n node) map[string]string { return r.Texts(path, n) })
}}}, statementFields...)

var statementFields = []strictyaml.Field[Statement]{
	{Name: "sql", Read: func(r *reader, s *Statement, path string, n node) { s.SQL = r.Str(path, n) }},
	{Name: "params", Read: func(r *reader, s *Statement, path string, n node) {
		s.Params = list(r, path, n, func(path string, n node) *string {
			if strictyaml.IsNull(r.Bare(n)) {
				return nil
			}
			v := r.Str(path, n)
			return &v
		})
	}},
	{Name: "role", Read: func(r *reader, s *Statement, path string, n node) { s.Role = r.Str(path, n) }},
	{Name: "claims", Read: func(r *reader, s *Statement, path string, n node) {
		var ok bool
		if s.Claims, ok = r.Value(path, n).(map[string]any); !ok {
			r.Fail(n, "%s must be a mapping", path)
		}
	}},
	{Name: "settings", Read: func(r *reader, s *Statement, path string, n node) { s.Settings = r.Texts(path, n) }},
	{Name: "protocol", Read: func(r *reader, s *Statement, path string, n node) {
		s.Protocol = r.OneOf(path, n, "prepared", "simple")
	}},
	{Name: "transaction", Read: func(r *reader, s *Statement, path string, n node) {
		s.Transaction = r.OneOf(path, n, "rollback", "none")
	}},
	{Name: "rows", Read: func(r *reader, s *Statement, path string, n node) {
		v := r.Count(path, n)
		s.Rows = &v
	}},
}

// withCase adds the fields that all cases have, a load's among them.
func withCase[T any](fields []strictyaml.Field[T], of func(*T) *Case) []strictyaml.Field[T] {
	text := func(name string, to func(*Case) *string) strictyaml.Field[T] {
		return strictyaml.Field[T]{Name: name, Read: func(r *reader, t *T, path string, n node) { *to(of(t)) = r.Str(path, n) }}
	}
	fields = append(fields[:len(fields):len(fields)],
		text("name", func(c *Case) *string { return &c.Name }),
		text("service", func(c *Case) *string { return &c.Service }),
		text("operation", func(c *Case) *string { return &c.Operation }))
	return withLoad(fields, func(t *T) *Load { return &of(t).Load })
}

// list reads each element of a sequence, under its index.
func list[T any](r *reader, path string, n node, read func(path string, n node) T) []T {
	seq, ok := r.Bare(n).(*ast.SequenceNode)
	if !ok {
		r.Fail(n, "%s must be a list", path)
		return nil
	}
	var out []T
	for i, v := range seq.Values {
		out = append(out, read(path+"["+strconv.Itoa(i)+"]", v))
	}
	return out
}

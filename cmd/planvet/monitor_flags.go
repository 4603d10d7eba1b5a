package main

import (
	"cmp"
	"context"
	"os"

	"github.com/urfave/cli/v2"

	"github.com/planvet/planvet/internal/engine"
	"github.com/planvet/planvet/internal/live"
	"github.com/planvet/planvet/internal/monitor"
)

// serverFlags name a server.
func serverFlags() []cli.Flag {
	return []cli.Flag{
		&cli.StringFlag{Name: "database-url", Aliases: []string{"conn"}, EnvVars: []string{"PLANVET_DATABASE_URL", "DATABASE_URL"}, Usage: "`URL` of the server"},
	}
}

// ownStatementsFlag is of a role that may not see others' statements and knows it.
func ownStatementsFlag() cli.Flag {
	return &cli.BoolFlag{Name: "own-statements", Usage: "count the statements of the role that connects alone: it needs no pg_read_all_stats then"}
}

// ownerFlags say where the code is that sends statements.
func ownerFlags() []cli.Flag {
	return []cli.Flag{
		&cli.StringFlag{Name: "code", Usage: "name the file:line that sends each statement, from the project at `PATH`"},
		&cli.StringFlag{Name: "querytrace", Usage: "the same from what querytrace recorded in `FOLDER` (QUERYTRACE_OUT)"},
	}
}

// poolerFlags name the poolers in front of a server.
func poolerFlags() []cli.Flag {
	return []cli.Flag{
		&cli.StringFlag{Name: "pgbouncer", EnvVars: []string{"PLANVET_PGBOUNCER_URL"}, Usage: "`URL` of PgBouncer's console: postgres://stats@host:6432/pgbouncer"},
		&cli.StringFlag{Name: "supavisor", EnvVars: []string{"PLANVET_SUPAVISOR_URL"}, Usage: "`URL` of Supavisor's metrics; PLANVET_SUPAVISOR_TOKEN has the token"},
	}
}

// poolers has the pools read of a PgBouncer's console and of Supavisor's metrics, each
// where it is named; without a token the environment's is shown.
func poolers(console, supavisor, token string, a *monitor.Activity) {
	a.Supavisor, a.Token = supavisor, cmp.Or(token, os.Getenv("PLANVET_SUPAVISOR_TOKEN"))
	if console != "" {
		a.PgBouncer = func(ctx context.Context) (*live.Session, error) { return engine.Connect(ctx, console, live.Options{}) }
	}
}

package monitor

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/planvet/planvet/catalog"
	"github.com/planvet/planvet/internal/live"
)

// Reading is a server at one moment.
type Reading struct {
	Server     Server           `json:"server"`
	Statements *live.Statements `json:"statements"`
	// Connections, Pools, Locks and Scans are there where they were asked for.
	Connections *Connections `json:"connections,omitempty"`
	Pools       []Pool       `json:"pools,omitempty"`
	Locks       *Locks       `json:"locks,omitempty"`
	Scans       []TableScans `json:"scans,omitempty"`
	Companion   *Companion   `json:"companion,omitempty"`
	// Notes are what a reader must know of the reading.
	Notes []string `json:"notes,omitempty"`

	// role is who reads, help the command that would let it read the figures of others'
	// statements; "" where there is none.
	role, help string
}

// Read reads a server's counters. planvet's own statements, which carry its mark, are
// left out. The error is live.ErrNoStatements' kind where pg_stat_statements is missing.
func Read(ctx context.Context, s *live.Session) (*Reading, error) {
	return read(ctx, s, lookAround(ctx, s), false)
}

// ReadOwn is Read of the statements of the session's role alone.
func ReadOwn(ctx context.Context, s *live.Session) (*Reading, error) {
	return read(ctx, s, lookAround(ctx, s), true)
}

func read(ctx context.Context, s *live.Session, see sight, own bool) (*Reading, error) {
	r := &Reading{Server: Server{Version: s.Version()}, Companion: see.companion, help: see.help}
	if see.note != "" {
		r.Notes = append(r.Notes, see.note)
	}
	rows, err := s.Query(ctx, `select pg_catalog.to_char(pg_catalog.pg_postmaster_start_time() at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
		pg_catalog.pg_is_in_recovery()::text, pg_catalog.current_setting('track_io_timing'), pg_catalog.current_database()::text,
		current_user::text, (select oid::int8::text from pg_catalog.pg_roles where rolname = current_user)`)
	if err != nil {
		return nil, fmt.Errorf("reading the server's state: %w", err)
	}
	if r.Server.Started, err = time.Parse(time.RFC3339Nano, *rows[0][0]); err != nil {
		return nil, fmt.Errorf("reading the server's state: %w", err)
	}
	r.Server.Replica, r.Server.IOTiming, r.Server.Where = *rows[0][1] == "true", *rows[0][2] == "on", *rows[0][3]
	id, err := strconv.ParseInt(*rows[0][5], 10, 64)
	if err != nil {
		return nil, fmt.Errorf("reading the server's state: %w", err)
	}
	if r.role = *rows[0][4]; own {
		r.Notes = append(r.Notes, "statements and shares are of "+r.role+" alone, as was asked")
	}
	if r.Statements, err = s.Statements(ctx); err != nil {
		return nil, err
	}
	if own {
		r.Statements.Hidden = 0
	} else if r.Statements.Hidden > 0 && see.counters {
		if err := s.HiddenStatements(ctx, r.Statements, "planvet.statement_counters()", id); err != nil {
			return nil, fmt.Errorf("reading the figures of hidden statements through the companion: %w", err)
		}
	}
	r.Server.Extension = r.Statements.Extension
	r.Statements.All = slices.DeleteFunc(r.Statements.All, func(st live.Statement) bool {
		return strings.Contains(st.Query, live.Mark) || own && st.UserID != id
	})
	return r, nil
}

// Options shape a report.
type Options struct {
	// Catalog classes statements; nil leaves reads unknown.
	Catalog *catalog.Catalog
	// Sort is one of Sorts, Top how many statements are shown; 0 is all.
	Sort   string
	Top    int
	Limits Limits
	// Owners are the places of the code that send a statement, by its fingerprint.
	Owners map[string]string
	// Shapes are of the same Catalog; nil parses anew what is looked into.
	Shapes *Shapes
}

// Report is what the server did until the reading, since its counters were reset.
func (r *Reading) Report(o Options) *Report {
	out := r.start(r.Statements.All, o)
	out.From = r.Statements.Reset
	return out
}

// Since is what the server did since an earlier reading of it.
func (r *Reading) Since(before *Reading, o Options) *Report {
	d := Between(before.Statements, r.Statements)
	out := r.start(d.Statements, o)
	out.From, out.Interval = d.From, true
	if out.Locks != nil && before.Locks != nil && r.Locks.Deadlocks >= before.Locks.Deadlocks {
		out.Locks = &Locks{Trees: r.Locks.Trees, Deadlocks: r.Locks.Deadlocks - before.Locks.Deadlocks}
	}
	if r.Server.Started.After(before.Server.Started) {
		out.note("the server was restarted at %s; what it did just before may be lost", r.Server.Started.Format(time.RFC3339))
	}
	if d.Reset {
		out.note("the counters were reset at %s: what happened before is not in these figures", r.Statements.Reset.Format(time.RFC3339))
	}
	out.noteEvicted(d.Evicted)
	return out
}

func (r *Report) noteEvicted(n int64) {
	if n > 0 {
		r.note("%d times the server threw statements out of pg_stat_statements for room: figures of rare statements are too low; raise pg_stat_statements.max", n)
	}
}

func (r *Reading) start(rows []live.Statement, o Options) *Report {
	if o.Shapes == nil {
		o.Shapes = NewShapes(o.Catalog)
	}
	top, all, totals := ranked(rows, o.Shapes, o)
	out := &Report{Version: FormatVersion, Server: r.Server, To: r.Statements.At, Statements: all, Sort: o.Sort, Totals: totals, Top: top,
		Connections: r.Connections, Pools: r.Pools, Locks: r.Locks, Companion: r.Companion, Notes: slices.Clone(r.Notes)}
	for i := range out.Top {
		if fp := out.Top[i].Fingerprint; fp != "" {
			out.Top[i].Owner = o.Owners[fp]
		}
	}
	if n := r.Statements.Hidden; n > 0 && r.Statements.Counted {
		out.note("the texts of %d statements of other roles are hidden from this one, their figures come through the companion: grant pg_read_all_stats to it for the texts", n)
	} else if n > 0 {
		out.blind = fmt.Sprintf("%d statements of other roles are hidden from %s and not in the figures: grant pg_read_all_stats to %[2]s", n, r.role)
		if r.help != "" {
			out.blind += ", or run " + r.help
		}
		out.note("the texts of %d statements of other roles are hidden from this one and not in the figures: grant pg_read_all_stats to it", n)
	}
	if !r.Server.IOTiming {
		out.note("times of reads are not measured: set track_io_timing = on")
	}
	return out
}

func (r *Report) note(format string, args ...any) {
	r.Notes = append(r.Notes, fmt.Sprintf(format, args...))
}

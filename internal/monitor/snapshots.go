package monitor

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/planvet/planvet/internal/companion"
	"github.com/planvet/planvet/internal/live"
)

// ErrNoSnapshots says that a database has no snapshots of the companion's that the role
// may read.
var ErrNoSnapshots = errors.New("no snapshots")

// Snapshots are those that planvet.snapshot() took in a session's database, as readings.
type Snapshots struct {
	s  *live.Session
	st *companion.State
}

// OpenSnapshots looks for the companion in a session's database. The error is
// ErrNoSnapshots' kind where there is none, or none for this role, with what to do.
func OpenSnapshots(ctx context.Context, s *live.Session) (*Snapshots, error) {
	st, err := companion.Status(ctx, s)
	switch {
	case err != nil:
		return nil, err
	case st.Kind == companion.Absent || st.Kind == companion.Foreign:
		return nil, fmt.Errorf("%w: planvet is not in database %s: run planvet companion install, and have planvet.snapshot() called every few minutes", ErrNoSnapshots, st.Database)
	case !st.MayUse:
		return nil, fmt.Errorf("%w: %s may not read what planvet keeps in database %s: run planvet companion install --reader %s as %s", ErrNoSnapshots, st.Role, st.Database, st.Role, st.Owner)
	}
	return &Snapshots{s, st}, nil
}

// Readings calls f with every snapshot in order, without planvet's own statements. What 1.0 did not keep (temporary
// blocks, WAL, minimum and maximum) is 0.
func (p *Snapshots) Readings(ctx context.Context, f func(*Reading) error) error {
	all, err := p.s.Query(ctx, `select id::text, to_jsonb(taken_at) #>> '{}', to_jsonb(started_at) #>> '{}', extension, to_jsonb(reset_at) #>> '{}', coalesce(evicted, -1)::text, hidden::text
		from planvet.snapshots order by id`)
	if err != nil {
		return fmt.Errorf("reading the companion's snapshots: %w", err)
	}
	for _, r := range all {
		st := &live.Statements{Extension: *r[3]}
		var started time.Time
		for i, to := range []*time.Time{&st.At, &started, nil, &st.Reset} {
			if to == nil || r[i+1] == nil {
				continue
			}
			if *to, err = time.Parse(time.RFC3339Nano, *r[i+1]); err != nil {
				return fmt.Errorf("reading the companion's snapshots: %w", err)
			}
		}
		st.Evicted, st.Hidden = int64(number(r[5])), number(r[6])
		rows, err := p.s.Query(ctx, `select pg_catalog.row_to_json(x)::text from (
			select n.userid::int8 as user_id, n.queryid::text as query_id, n.toplevel as top_level, coalesce(t.query, '`+live.HiddenText+`') as query, n.since,
				n.calls, n.rows, n.exec_ms, n.stddev_ms as stddev_exec_ms, n.shared_hit, n.shared_read
			from planvet.snapshot_statements n left join planvet.snapshot_texts t on t.userid = n.userid and t.queryid = n.queryid
			where n.snapshot_id = $1::int8) x`, r[0])
		if err != nil {
			return fmt.Errorf("reading the companion's snapshots: %w", err)
		}
		for _, row := range rows {
			var s live.Statement
			if err := json.Unmarshal([]byte(*row[0]), &s); err != nil {
				return fmt.Errorf("reading the companion's snapshots: %w", err)
			}
			if !strings.Contains(s.Query, live.Mark) {
				st.All = append(st.All, s)
			}
		}
		reading := &Reading{Server: Server{Version: p.st.Server, Where: p.st.Database, Started: started, Extension: st.Extension}, Statements: st}
		if err := f(reading); err != nil {
			return err
		}
	}
	return nil
}

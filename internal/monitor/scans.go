package monitor

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"

	"github.com/planvet/planvet/internal/live"
)

// TableScans is what was read from a table since the database's statistics were reset.
type TableScans struct {
	// Table is schema.name.
	Table string `json:"table"`
	// Sequential and Index are how many scans began, SequentialRows the live rows that
	// the former read, IndexRows the index entries that the latter returned: the parts
	// of pg_stat_database.tup_returned, of user tables alone. An index scan inside of a
	// bitmap counts too.
	Sequential     int64 `json:"seq_scans"`
	SequentialRows int64 `json:"seq_rows"`
	Index          int64 `json:"index_scans"`
	IndexRows      int64 `json:"index_rows"`
	// Live is the server's estimate of the table's rows.
	Live int64 `json:"live_rows"`
}

// Rows are all that was read.
func (t *TableScans) Rows() int64 { return t.SequentialRows + t.IndexRows }

// ReadScans reads the tables of the session's database that were ever scanned, by name.
func ReadScans(ctx context.Context, s *live.Session) ([]TableScans, error) {
	rows, err := s.Query(ctx, `select pg_catalog.quote_ident(t.schemaname) || '.' || pg_catalog.quote_ident(t.relname),
		coalesce(t.seq_scan, 0)::text, coalesce(t.seq_tup_read, 0)::text, coalesce(i.scans, 0)::text, coalesce(i.entries, 0)::text, coalesce(t.n_live_tup, 0)::text
		from pg_catalog.pg_stat_user_tables t
		left join (select relid, sum(idx_scan) as scans, sum(idx_tup_read) as entries from pg_catalog.pg_stat_user_indexes group by relid) i on i.relid = t.relid
		where coalesce(t.seq_scan, 0) + coalesce(i.scans, 0) > 0 order by 1`)
	if err != nil {
		return nil, fmt.Errorf("reading what was scanned: %w", err)
	}
	out := []TableScans{}
	for _, r := range rows {
		t := TableScans{Table: *r[0]}
		for i, to := range []*int64{&t.Sequential, &t.SequentialRows, &t.Index, &t.IndexRows, &t.Live} {
			if *to, err = strconv.ParseInt(*r[i+1], 10, 64); err != nil {
				return nil, fmt.Errorf("reading what was scanned: %w", err)
			}
		}
		out = append(out, t)
	}
	return out, nil
}

// scansOf are known tables by name.
func scansOf(known map[string]TableScans) []TableScans {
	out := []TableScans{}
	for _, name := range slices.Sorted(maps.Keys(known)) {
		out = append(out, known[name])
	}
	return out
}

// scansBetween is what was read from a to b. A table whose counters went down counts
// from zero, and the result is not whole: statistics were reset, or another table has
// its name now.
func scansBetween(a, b []TableScans) (all []TableScans, whole bool) {
	before := map[string]TableScans{}
	for _, t := range a {
		before[t.Table] = t
	}
	all, whole = []TableScans{}, true
	for _, t := range b {
		if old := before[t.Table]; t.Sequential >= old.Sequential && t.Index >= old.Index && t.SequentialRows >= old.SequentialRows && t.IndexRows >= old.IndexRows {
			t.Sequential, t.SequentialRows = t.Sequential-old.Sequential, t.SequentialRows-old.SequentialRows
			t.Index, t.IndexRows = t.Index-old.Index, t.IndexRows-old.IndexRows
		} else {
			whole = false
		}
		if t.Sequential+t.Index > 0 {
			all = append(all, t)
		}
	}
	return all, whole
}

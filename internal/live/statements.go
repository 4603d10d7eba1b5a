package live

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"
)

// ErrNoStatements says that pg_stat_statements is not there, or not loaded.
var ErrNoStatements = errors.New("pg_stat_statements is not there")

// Statement is a row of pg_stat_statements: what a statement did since the counters
// were reset. Times are milliseconds, blocks are of 8 KiB. A column that the
// installed version of the extension does not have is 0.
type Statement struct {
	UserID     int64 `json:"user_id"`
	DatabaseID int64 `json:"database_id"`
	QueryID    int64 `json:"query_id,string"`
	// TopLevel is false for a statement that ran inside a function, where the
	// extension tells (1.9 and later); true else.
	TopLevel bool `json:"top_level"`
	// Query is the text with $n for constants; it is often not valid SQL.
	Query        string  `json:"query"`
	Calls        int64   `json:"calls"`
	Rows         int64   `json:"rows"`
	ExecMS       float64 `json:"exec_ms"`
	MinExecMS    float64 `json:"min_exec_ms"`
	MaxExecMS    float64 `json:"max_exec_ms"`
	StddevExecMS float64 `json:"stddev_exec_ms"`
	// Plans and PlanMS need pg_stat_statements.track_planning.
	Plans         int64   `json:"plans"`
	PlanMS        float64 `json:"plan_ms"`
	SharedHit     int64   `json:"shared_hit"`
	SharedRead    int64   `json:"shared_read"`
	SharedDirtied int64   `json:"shared_dirtied"`
	SharedWritten int64   `json:"shared_written"`
	LocalHit      int64   `json:"local_hit"`
	LocalRead     int64   `json:"local_read"`
	TempRead      int64   `json:"temp_read"`
	TempWritten   int64   `json:"temp_written"`
	// ReadMS and WriteMS are of shared blocks; they need track_io_timing.
	ReadMS            float64 `json:"read_ms"`
	WriteMS           float64 `json:"write_ms"`
	WALRecords        int64   `json:"wal_records"`
	WALFullPageImages int64   `json:"wal_full_page_images"`
	WALBytes          int64   `json:"wal_bytes"`
	JITFunctions      int64   `json:"jit_functions"`
	JITMS             float64 `json:"jit_ms"`
	// Since is when the row's counters began, where the extension tells (1.11 and
	// later).
	Since time.Time `json:"since,omitzero"`
}

// Statements is pg_stat_statements at one moment.
type Statements struct {
	At time.Time `json:"at"`
	// Extension is the installed version: 1.10; Schema where it is.
	Extension string `json:"extension"`
	Schema    string `json:"schema"`
	// Reset is when the counters were reset last, Evicted how many rows were thrown out
	// for room since; zero and -1 where the extension does not tell (before 1.9).
	Reset   time.Time `json:"reset,omitzero"`
	Evicted int64     `json:"evicted"`
	// Hidden counts rows whose text the role may not see: grant it pg_read_all_stats.
	Hidden int         `json:"hidden"`
	All    []Statement `json:"statements"`
}

// Statements reads the rows of pg_stat_statements that are of the session's database,
// whatever schema it is in, from extension version 1.4 on. Rows come as JSON objects,
// so that one query serves all versions. The error is ErrNoStatements' kind where the
// extension is missing or not loaded, with what to do.
func (s *Session) Statements(ctx context.Context) (*Statements, error) {
	where, err := s.Query(ctx, `select n.nspname::text, e.extversion::text from pg_catalog.pg_extension e
		join pg_catalog.pg_namespace n on n.oid = e.extnamespace where e.extname = 'pg_stat_statements'`)
	if err != nil {
		return nil, fmt.Errorf("looking for pg_stat_statements: %w", err)
	}
	if len(where) == 0 {
		return nil, fmt.Errorf("%w: add it to shared_preload_libraries, restart, and run create extension pg_stat_statements in this database", ErrNoStatements)
	}
	out := &Statements{Schema: *where[0][0], Extension: *where[0][1], Evicted: -1}
	rows, err := s.Query(ctx, `select to_jsonb(s)::text from `+quote(out.Schema)+`.pg_stat_statements s
		where s.dbid = (select oid from pg_catalog.pg_database where datname = pg_catalog.current_database())`)
	switch {
	case err != nil && Code(err) == notLoaded:
		return nil, fmt.Errorf("%w: the extension is made, but the server did not load it: add it to shared_preload_libraries and restart", ErrNoStatements)
	case err != nil:
		return nil, fmt.Errorf("reading pg_stat_statements: %w", err)
	}
	out.At = time.Now()
	for _, r := range rows {
		st, hidden, err := readStatement([]byte(*r[0]))
		if err != nil {
			return nil, fmt.Errorf("reading pg_stat_statements %s: %w", out.Extension, err)
		}
		if hidden {
			out.Hidden++
			continue
		}
		out.All = append(out.All, st)
	}
	return out, s.statementsInfo(ctx, out)
}

// notLoaded is the SQLSTATE of an extension whose library is not in memory.
const notLoaded = "55000"

func (s *Session) statementsInfo(ctx context.Context, out *Statements) error {
	if there, err := s.Query(ctx, "select pg_catalog.to_regclass($1)::text", ptr(quote(out.Schema)+".pg_stat_statements_info")); err != nil || there[0][0] == nil {
		return err
	}
	info, err := s.Query(ctx, "select dealloc::text, to_jsonb(stats_reset) #>> '{}' from "+quote(out.Schema)+".pg_stat_statements_info")
	if err != nil || len(info) == 0 {
		return err
	}
	if out.Evicted, err = strconv.ParseInt(*info[0][0], 10, 64); err != nil {
		return err
	}
	if info[0][1] != nil {
		out.Reset, err = time.Parse(time.RFC3339Nano, *info[0][1])
	}
	return err
}

func ptr(s string) *string { return &s }

// readStatement reads a row under the names that the extension's versions gave its
// columns: 1.8 split total_time, 1.11 renamed blk_read_time.
func readStatement(row []byte) (st Statement, hidden bool, err error) {
	var c map[string]json.RawMessage
	if err := json.Unmarshal(row, &c); err != nil {
		return st, false, err
	}
	get := func(into any, names ...string) {
		i := slices.IndexFunc(names, func(n string) bool { return len(c[n]) > 0 && string(c[n]) != "null" })
		if i < 0 || err != nil {
			return
		}
		raw := c[names[i]]
		if _, number := into.(*int64); number {
			raw = bytes.Trim(raw, `"`) // an oid is a text in JSON
		}
		err = json.Unmarshal(raw, into)
	}
	var query *string
	st.TopLevel = true
	get(&query, "query")
	get(&st.QueryID, "queryid")
	if query == nil || st.QueryID == 0 && *query == "<insufficient privilege>" {
		return st, true, err
	}
	st.Query = *query
	get(&st.UserID, "userid")
	get(&st.DatabaseID, "dbid")
	get(&st.TopLevel, "toplevel")
	get(&st.Calls, "calls")
	get(&st.Rows, "rows")
	get(&st.ExecMS, "total_exec_time", "total_time")
	get(&st.MinExecMS, "min_exec_time", "min_time")
	get(&st.MaxExecMS, "max_exec_time", "max_time")
	get(&st.StddevExecMS, "stddev_exec_time", "stddev_time")
	get(&st.Plans, "plans")
	get(&st.PlanMS, "total_plan_time")
	get(&st.SharedHit, "shared_blks_hit")
	get(&st.SharedRead, "shared_blks_read")
	get(&st.SharedDirtied, "shared_blks_dirtied")
	get(&st.SharedWritten, "shared_blks_written")
	get(&st.LocalHit, "local_blks_hit")
	get(&st.LocalRead, "local_blks_read")
	get(&st.TempRead, "temp_blks_read")
	get(&st.TempWritten, "temp_blks_written")
	get(&st.ReadMS, "shared_blk_read_time", "blk_read_time")
	get(&st.WriteMS, "shared_blk_write_time", "blk_write_time")
	get(&st.WALRecords, "wal_records")
	get(&st.WALFullPageImages, "wal_fpi")
	get(&st.WALBytes, "wal_bytes")
	get(&st.JITFunctions, "jit_functions")
	for _, part := range []string{"jit_generation_time", "jit_inlining_time", "jit_optimization_time", "jit_emission_time", "jit_deform_time"} {
		var ms float64
		get(&ms, part)
		st.JITMS += ms
	}
	get(&st.Since, "stats_since")
	return st, false, err
}

package live

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
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
	Hidden int `json:"hidden"`
	// Counted is set where All has those rows too, with HiddenText for the text.
	Counted bool        `json:"counted,omitempty"`
	All     []Statement `json:"statements"`
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
	// Rows are read as they come: a server has thousands, with long texts. row_to_json
	// writes text at once, where to_jsonb makes a value first.
	err = s.each(ctx, `select pg_catalog.row_to_json(s)::text from `+quote(out.Schema)+`.pg_stat_statements s
		where s.dbid = (select oid from pg_catalog.pg_database where datname = pg_catalog.current_database())`, nil, func(row [][]byte) error {
		st, hidden, err := readStatement(row[0])
		switch {
		case err != nil:
			return err
		case hidden:
			out.Hidden++
		default:
			out.All = append(out.All, st)
		}
		return nil
	})
	switch {
	case err != nil && Code(err) == notLoaded:
		return nil, fmt.Errorf("%w: the extension is made, but the server did not load it: add it to shared_preload_libraries and restart", ErrNoStatements)
	case err != nil:
		return nil, fmt.Errorf("reading pg_stat_statements %s: %w", out.Extension, err)
	}
	out.At = time.Now()
	return out, s.statementsInfo(ctx, out)
}

// HiddenText is the text of a statement that the role may not see, as
// pg_stat_statements has it.
const HiddenText = "<insufficient privilege>"

// HiddenStatements adds the rows that the role may not see itself from a query whose
// only column has rows of pg_stat_statements as JSON objects, of the session's database.
// Rows of the role's own are never hidden and stay as they are.
func (s *Session) HiddenStatements(ctx context.Context, out *Statements, sql string) error {
	type key struct {
		user, query int64
		topLevel    bool
	}
	seen, own := map[key]bool{}, int64(0)
	for i := range out.All {
		seen[key{out.All[i].UserID, out.All[i].QueryID, out.All[i].TopLevel}] = true
	}
	me, err := s.Query(ctx, "select oid::int8::text from pg_catalog.pg_roles where rolname = current_user")
	if err != nil {
		return err
	}
	if own, err = strconv.ParseInt(*me[0][0], 10, 64); err != nil {
		return err
	}
	out.Counted = true
	return s.each(ctx, sql, nil, func(row [][]byte) error {
		st, err := counters(row[0])
		if err == nil && st.UserID != own && !seen[key{st.UserID, st.QueryID, st.TopLevel}] {
			out.All = append(out.All, st)
		}
		return err
	})
}

// counters reads a row that has no text.
func counters(row []byte) (Statement, error) {
	text := HiddenText
	c := statementRow{}
	if err := json.Unmarshal(row, &c); err != nil {
		return Statement{}, err
	}
	c.Query = &text
	return c.statement()
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

// statementRow has the columns under the names that the extension's versions gave
// them: 1.8 split total_time, 1.11 renamed blk_read_time. A column that a version does
// not have stays nil or 0. An oid is a text in JSON.
type statementRow struct {
	Query    *string     `json:"query"`
	QueryID  int64       `json:"queryid"`
	UserID   json.Number `json:"userid"`
	DBID     json.Number `json:"dbid"`
	TopLevel *bool       `json:"toplevel"`
	Calls    int64       `json:"calls"`
	Rows     int64       `json:"rows"`

	TotalExec  *float64 `json:"total_exec_time"`
	Total      float64  `json:"total_time"`
	MinExec    *float64 `json:"min_exec_time"`
	Min        float64  `json:"min_time"`
	MaxExec    *float64 `json:"max_exec_time"`
	Max        float64  `json:"max_time"`
	StddevExec *float64 `json:"stddev_exec_time"`
	Stddev     float64  `json:"stddev_time"`
	Plans      int64    `json:"plans"`
	TotalPlan  float64  `json:"total_plan_time"`

	SharedHit     int64    `json:"shared_blks_hit"`
	SharedRead    int64    `json:"shared_blks_read"`
	SharedDirtied int64    `json:"shared_blks_dirtied"`
	SharedWritten int64    `json:"shared_blks_written"`
	LocalHit      int64    `json:"local_blks_hit"`
	LocalRead     int64    `json:"local_blks_read"`
	TempRead      int64    `json:"temp_blks_read"`
	TempWritten   int64    `json:"temp_blks_written"`
	SharedReadMS  *float64 `json:"shared_blk_read_time"`
	ReadMS        float64  `json:"blk_read_time"`
	SharedWriteMS *float64 `json:"shared_blk_write_time"`
	WriteMS       float64  `json:"blk_write_time"`

	WALRecords    int64     `json:"wal_records"`
	WALImages     int64     `json:"wal_fpi"`
	WALBytes      int64     `json:"wal_bytes"`
	JITFunctions  int64     `json:"jit_functions"`
	JITGeneration float64   `json:"jit_generation_time"`
	JITInlining   float64   `json:"jit_inlining_time"`
	JITOptimising float64   `json:"jit_optimization_time"`
	JITEmission   float64   `json:"jit_emission_time"`
	JITDeform     float64   `json:"jit_deform_time"`
	Since         time.Time `json:"stats_since"`
}

// readStatement reads a row; hidden says that the role may not see its text.
func readStatement(row []byte) (st Statement, hidden bool, err error) {
	var c statementRow
	if err := json.Unmarshal(row, &c); err != nil {
		return st, false, err
	}
	if c.Query == nil || c.QueryID == 0 && *c.Query == HiddenText {
		return st, true, nil
	}
	st, err = c.statement()
	return st, false, err
}

// statement is the row under the names of today.
func (c *statementRow) statement() (st Statement, err error) {
	renamed := func(now *float64, before float64) float64 {
		if now != nil {
			return *now
		}
		return before
	}
	st = Statement{
		QueryID: c.QueryID, TopLevel: c.TopLevel == nil || *c.TopLevel, Query: *c.Query, Calls: c.Calls, Rows: c.Rows,
		ExecMS: renamed(c.TotalExec, c.Total), MinExecMS: renamed(c.MinExec, c.Min), MaxExecMS: renamed(c.MaxExec, c.Max),
		StddevExecMS: renamed(c.StddevExec, c.Stddev), Plans: c.Plans, PlanMS: c.TotalPlan,
		SharedHit: c.SharedHit, SharedRead: c.SharedRead, SharedDirtied: c.SharedDirtied, SharedWritten: c.SharedWritten,
		LocalHit: c.LocalHit, LocalRead: c.LocalRead, TempRead: c.TempRead, TempWritten: c.TempWritten,
		ReadMS: renamed(c.SharedReadMS, c.ReadMS), WriteMS: renamed(c.SharedWriteMS, c.WriteMS),
		WALRecords: c.WALRecords, WALFullPageImages: c.WALImages, WALBytes: c.WALBytes, JITFunctions: c.JITFunctions,
		JITMS: c.JITGeneration + c.JITInlining + c.JITOptimising + c.JITEmission + c.JITDeform, Since: c.Since,
	}
	if st.UserID, err = c.UserID.Int64(); err != nil {
		return st, err
	}
	st.DatabaseID, err = c.DBID.Int64()
	return st, err
}

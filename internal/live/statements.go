package live

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
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
// whatever schema it is in, from extension version 1.4 on. The error is ErrNoStatements'
// kind where the extension is missing or not loaded, with what to do.
func (s *Session) Statements(ctx context.Context) (*Statements, error) {
	where, err := s.Query(ctx, `select n.nspname::text, e.extversion::text,
			pg_catalog.array_to_string(array(select a.attname::text from pg_catalog.pg_attribute a join pg_catalog.pg_class c on c.oid = a.attrelid
				where c.relnamespace = n.oid and c.relname = 'pg_stat_statements' and a.attnum > 0 and not a.attisdropped), ' '),
			pg_catalog.to_regclass(pg_catalog.quote_ident(n.nspname) || '.pg_stat_statements_info')::text
		from pg_catalog.pg_extension e join pg_catalog.pg_namespace n on n.oid = e.extnamespace where e.extname = 'pg_stat_statements'`)
	if err != nil {
		return nil, fmt.Errorf("looking for pg_stat_statements: %w", err)
	}
	if len(where) == 0 {
		return nil, fmt.Errorf("%w: add it to shared_preload_libraries, restart, and run create extension pg_stat_statements in this database", ErrNoStatements)
	}
	out := &Statements{Schema: *where[0][0], Extension: *where[0][1], Evicted: -1, All: make([]Statement, 0, len(s.texts)+len(s.texts)/16)}
	queries := []query{{sql: selectRows(out.Schema, strings.Fields(*where[0][2])), binary: true, row: func(row [][]byte) error {
		if st, hidden := readStatement(row, s.texts); hidden {
			out.Hidden++
		} else {
			out.All = append(out.All, st)
		}
		return nil
	}}}
	if where[0][3] != nil {
		queries = append(queries, query{sql: "select dealloc::text, to_jsonb(stats_reset) #>> '{}' from " + quote(out.Schema) + ".pg_stat_statements_info", row: out.readInfo})
	}
	err = s.together(ctx, queries)
	switch {
	case err != nil && Code(err) == notLoaded:
		return nil, fmt.Errorf("%w: the extension is made, but the server did not load it: add it to shared_preload_libraries and restart", ErrNoStatements)
	case err != nil:
		return nil, fmt.Errorf("reading pg_stat_statements %s: %w", out.Extension, err)
	}
	out.At, s.texts = time.Now(), make(map[int64]string, len(out.All))
	for i := range out.All {
		s.texts[out.All[i].QueryID] = out.All[i].Query
	}
	return out, nil
}

// readInfo reads the row of pg_stat_statements_info.
func (st *Statements) readInfo(row [][]byte) (err error) {
	if st.Evicted, err = strconv.ParseInt(string(row[0]), 10, 64); err == nil && row[1] != nil {
		st.Reset, err = time.Parse(time.RFC3339Nano, string(row[1]))
	}
	return err
}

// HiddenText is the text of a statement that the role may not see, as
// pg_stat_statements has it.
const HiddenText = "<insufficient privilege>"

// HiddenStatements adds the rows that the role may not see itself from a function that
// returns rows of pg_stat_statements as jsonb objects, of the session's database. Rows of
// the role's own, whose oid is own, are never hidden and stay as they are.
func (s *Session) HiddenStatements(ctx context.Context, out *Statements, function string, own int64) error {
	type key struct {
		user, query int64
		topLevel    bool
	}
	seen := map[key]bool{}
	for i := range out.All {
		seen[key{out.All[i].UserID, out.All[i].QueryID, out.All[i].TopLevel}] = true
	}
	out.Counted = true
	return s.together(ctx, []query{{sql: selectObjects(function), binary: true, row: func(row [][]byte) error {
		st, _ := readStatement(row, nil)
		st.Query = HiddenText
		if st.UserID != own && !seen[key{st.UserID, st.QueryID, st.TopLevel}] {
			out.All = append(out.All, st)
		}
		return nil
	}}})
}

// notLoaded is the SQLSTATE of an extension whose library is not in memory.
const notLoaded = "55000"

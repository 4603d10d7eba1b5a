package live

import (
	"encoding/binary"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"
)

// statementColumn is a value of pg_stat_statements that planvet reads, in the server's
// binary format: a server has thousands of rows, and their figures as texts cost both
// sides more than all else.
type statementColumn struct {
	// names are what the extension's versions called it, the newest first: 1.8 split
	// total_time, 1.11 renamed blk_read_time. A version that has none of them gives null.
	names []string
	// typ is one of int8, float8, bool, text and timestamptz.
	typ string
	// into reads a value that is not null.
	into func(*Statement, []byte)
}

func count(at func(*Statement) *int64, name string) statementColumn {
	return statementColumn{[]string{name}, "int8", func(s *Statement, v []byte) { *at(s) = int64(binary.BigEndian.Uint64(v)) }}
}

// spent adds to a time.
func spent(at func(*Statement) *float64, names ...string) statementColumn {
	return statementColumn{names, "float8", func(s *Statement, v []byte) { *at(s) += math.Float64frombits(binary.BigEndian.Uint64(v)) }}
}

// sinceYear2000 is from when the server counts microseconds.
var sinceYear2000 = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)

// statementColumns are in the order in which queries select them; the text and the id,
// by which readStatement knows a hidden row, come first.
var statementColumns = []statementColumn{
	{[]string{"query"}, "text", nil},
	count(func(s *Statement) *int64 { return &s.QueryID }, "queryid"),
	count(func(s *Statement) *int64 { return &s.UserID }, "userid"),
	count(func(s *Statement) *int64 { return &s.DatabaseID }, "dbid"),
	{[]string{"toplevel"}, "bool", func(s *Statement, v []byte) { s.TopLevel = v[0] != 0 }},
	count(func(s *Statement) *int64 { return &s.Calls }, "calls"),
	count(func(s *Statement) *int64 { return &s.Rows }, "rows"),
	spent(func(s *Statement) *float64 { return &s.ExecMS }, "total_exec_time", "total_time"),
	spent(func(s *Statement) *float64 { return &s.MinExecMS }, "min_exec_time", "min_time"),
	spent(func(s *Statement) *float64 { return &s.MaxExecMS }, "max_exec_time", "max_time"),
	spent(func(s *Statement) *float64 { return &s.StddevExecMS }, "stddev_exec_time", "stddev_time"),
	count(func(s *Statement) *int64 { return &s.Plans }, "plans"),
	spent(func(s *Statement) *float64 { return &s.PlanMS }, "total_plan_time"),
	count(func(s *Statement) *int64 { return &s.SharedHit }, "shared_blks_hit"),
	count(func(s *Statement) *int64 { return &s.SharedRead }, "shared_blks_read"),
	count(func(s *Statement) *int64 { return &s.SharedDirtied }, "shared_blks_dirtied"),
	count(func(s *Statement) *int64 { return &s.SharedWritten }, "shared_blks_written"),
	count(func(s *Statement) *int64 { return &s.LocalHit }, "local_blks_hit"),
	count(func(s *Statement) *int64 { return &s.LocalRead }, "local_blks_read"),
	count(func(s *Statement) *int64 { return &s.TempRead }, "temp_blks_read"),
	count(func(s *Statement) *int64 { return &s.TempWritten }, "temp_blks_written"),
	spent(func(s *Statement) *float64 { return &s.ReadMS }, "shared_blk_read_time", "blk_read_time"),
	spent(func(s *Statement) *float64 { return &s.WriteMS }, "shared_blk_write_time", "blk_write_time"),
	count(func(s *Statement) *int64 { return &s.WALRecords }, "wal_records"),
	count(func(s *Statement) *int64 { return &s.WALFullPageImages }, "wal_fpi"),
	count(func(s *Statement) *int64 { return &s.WALBytes }, "wal_bytes"),
	count(func(s *Statement) *int64 { return &s.JITFunctions }, "jit_functions"),
	spent(func(s *Statement) *float64 { return &s.JITMS }, "jit_generation_time"),
	spent(func(s *Statement) *float64 { return &s.JITMS }, "jit_inlining_time"),
	spent(func(s *Statement) *float64 { return &s.JITMS }, "jit_optimization_time"),
	spent(func(s *Statement) *float64 { return &s.JITMS }, "jit_emission_time"),
	spent(func(s *Statement) *float64 { return &s.JITMS }, "jit_deform_time"),
	{[]string{"stats_since"}, "timestamptz", func(s *Statement, v []byte) {
		s.Since = sinceYear2000.Add(time.Duration(binary.BigEndian.Uint64(v)) * time.Microsecond)
	}},
}

// selectRows selects statementColumns of the session's database from the view in a
// schema, which has so many of them.
func selectRows(schema string, has []string) string {
	values := make([]string, len(statementColumns))
	for i, c := range statementColumns {
		values[i] = "null::" + c.typ
		if n := slices.IndexFunc(c.names, func(name string) bool { return slices.Contains(has, name) }); n >= 0 {
			values[i] = "s." + c.names[n] + "::" + c.typ
		}
	}
	return "select " + strings.Join(values, ", ") + " from " + quote(schema) + `.pg_stat_statements s
		where s.dbid = (select oid from pg_catalog.pg_database where datname = pg_catalog.current_database())`
}

// selectObjects selects statementColumns from a function that returns jsonb objects.
func selectObjects(function string) string {
	values := make([]string, len(statementColumns))
	for i, c := range statementColumns {
		names := make([]string, len(c.names))
		for k, name := range c.names {
			names[k] = fmt.Sprintf("(c ->> '%s')", name)
		}
		values[i] = "coalesce(" + strings.Join(names, ", ") + ")::" + c.typ
	}
	return "select " + strings.Join(values, ", ") + " from " + function + " c"
}

// readStatement reads a row of statementColumns; hidden says that the role may not see
// its text. Texts are those of known by id, where they are the same: a watch has them once.
func readStatement(row [][]byte, known map[int64]string) (st Statement, hidden bool) {
	st.TopLevel = true // where the extension does not tell
	for i, v := range row[1:] {
		if v != nil {
			statementColumns[i+1].into(&st, v)
		}
	}
	text := row[0]
	if st.Query = known[st.QueryID]; st.Query != string(text) {
		st.Query = string(text)
	}
	return st, text == nil || row[1] == nil && st.Query == HiddenText
}

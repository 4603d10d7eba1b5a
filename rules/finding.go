package rules

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strconv"
	"strings"
)

// Location is a place in a file of the project.
type Location struct {
	// Path is relative to the project's root, with forward slashes.
	Path string `json:"path"`
	// Line counts from 1.
	Line int `json:"line"`
	// Column counts bytes from 1; 0 is unknown.
	Column int `json:"column,omitempty"`
	// EndLine is the last line, or 0.
	EndLine int `json:"end_line,omitempty"`
}

// Related is the other end of a finding: the table's migration, the policy, the
// query inside a loop.
type Related struct {
	Location Location `json:"location"`
	Message  string   `json:"message"`
}

// Object names the database object that a finding is about.
type Object struct {
	Schema     string   `json:"schema,omitempty"`
	Table      string   `json:"table,omitempty"`
	Columns    []string `json:"columns,omitempty"`
	Policy     string   `json:"policy,omitempty"`
	Index      string   `json:"index,omitempty"`
	Constraint string   `json:"constraint,omitempty"`
	Function   string   `json:"function,omitempty"`
	Role       string   `json:"role,omitempty"`
}

// Query is the statement that a finding came from.
type Query struct {
	Text        string `json:"text"`
	Fingerprint string `json:"fingerprint"`
	// Source is one of go, sql, function, view, statements.
	Source string `json:"source"`
	Symbol string `json:"symbol,omitempty"`
	// Role is the role that the statement runs as; empty for the owner.
	Role string `json:"role,omitempty"`
	// Workload is what the statement cost a server, where its counters were given.
	Workload *Workload `json:"workload,omitempty"`
}

// Workload is what a server's pg_stat_statements counted of a statement, all rows of one
// fingerprint together.
type Workload struct {
	// QueryIDs are the server's, sorted; Roles are those that ran it, where known.
	QueryIDs []string `json:"query_ids"`
	Roles    []string `json:"roles,omitempty"`
	// Rank counts from 1 by total execution time.
	Rank  int   `json:"rank"`
	Calls int64 `json:"calls"`
	// TotalMS and MeanMS are execution time in milliseconds; Share is the part, 0 to 1,
	// of the execution time of all statements that the server counted.
	TotalMS float64 `json:"total_ms"`
	MeanMS  float64 `json:"mean_ms"`
	Share   float64 `json:"share"`
}

// WorkloadPath is the path of a statement that stands in pg_stat_statements and in no
// file; its line is the statement's rank by total execution time.
const WorkloadPath = "pg_stat_statements"

// Fix is what removes the finding: exact SQL, and a remark where SQL is not all.
type Fix struct {
	SQL  []string `json:"sql,omitempty"`
	Note string   `json:"note,omitempty"`
}

// IsDDL reports whether the fix is statements that change the schema, all of it: what
// belongs into a migration.
func (f *Fix) IsDDL() bool {
	if f == nil {
		return false
	}
	for _, s := range f.SQL {
		first, _, _ := strings.Cut(strings.TrimSpace(strings.ToLower(s)), " ")
		if first != "create" && first != "alter" && first != "drop" {
			return false
		}
	}
	return len(f.SQL) > 0
}

// Finding is one fault at one place.
type Finding struct {
	ID        string    `json:"id"`
	Rule      string    `json:"rule"`
	Severity  Severity  `json:"severity"`
	Certainty Certainty `json:"certainty"`
	// Message is one line: object, fact, consequence.
	Message  string    `json:"message"`
	Location Location  `json:"location"`
	Related  []Related `json:"related,omitempty"`
	Object   Object    `json:"object"`
	Query    *Query    `json:"query,omitempty"`
	Fix      *Fix      `json:"fix,omitempty"`
	Verdict  Verdict   `json:"verdict"`
	SpecRef  string    `json:"spec_ref,omitempty"`

	// Probe is what a planner has to be asked for a verdict; nil where the rule
	// cannot be confirmed.
	Probe *Probe `json:"-"`
}

// SetIDs gives each finding its stable identity: a hash of rule, object with
// schema, fingerprint, path with enclosing symbol, and the ordinal among equals.
// Line numbers are left out, so that an edit above a finding keeps its identity.
// Findings must already be sorted.
func SetIDs(fs []Finding) {
	seen := map[string]int{}
	for i := range fs {
		f := &fs[i]
		o := f.Object
		parts := []string{
			f.Rule, o.Schema, o.Table, strings.Join(o.Columns, ","), o.Policy, o.Index,
			o.Constraint, o.Function, o.Role, f.Location.Path,
		}
		if f.Query != nil {
			parts = append(parts, f.Query.Fingerprint, f.Query.Symbol)
		}
		key := strings.Join(parts, "\x00")
		n := seen[key]
		seen[key] = n + 1
		sum := sha256.Sum256([]byte(key + "\x00" + strconv.Itoa(n)))
		f.ID = "v1:" + hex.EncodeToString(sum[:12])
	}
}

// Sort orders findings by path, line, column, rule, object and message: a total
// order, so that output is stable.
func Sort(fs []Finding) {
	slices.SortStableFunc(fs, func(a, b Finding) int {
		return cmp.Or(
			cmp.Compare(a.Location.Path, b.Location.Path),
			cmp.Compare(a.Location.Line, b.Location.Line),
			cmp.Compare(a.Location.Column, b.Location.Column),
			cmp.Compare(a.Rule, b.Rule),
			cmp.Compare(a.Object.Schema, b.Object.Schema),
			cmp.Compare(a.Object.Table, b.Object.Table),
			cmp.Compare(strings.Join(a.Object.Columns, ","), strings.Join(b.Object.Columns, ",")),
			cmp.Compare(a.Object.Policy, b.Object.Policy),
			cmp.Compare(a.Message, b.Message),
		)
	})
}

package report

import (
	"bytes"
	"errors"
	"io"
	"path/filepath"
	"testing"

	"github.com/planvet/planvet/internal/casetest"
	"github.com/planvet/planvet/rules"
)

// files are the sample project's.
var files = map[string]string{
	"app/store.go": "package app\n\nfunc (s *Store) Find() {\n\ts.db.Query(\"select id from players where email = $1\")\n}\n",
	"db/001.sql": "create table players (\n\tid bigint primary key,\n\tcasino_id\tbigint references casinos\n);\n" +
		"-- é 漢字 x\n",
}

func read(path string) ([]byte, error) {
	if s, ok := files[path]; ok {
		return []byte(s), nil
	}
	return nil, errors.New("no such file")
}

// sample has every kind of finding and verdict once.
func sample() *Document {
	d := &Document{
		Version: "1.2.3", ConfirmRun: true, GoRun: true, Suppressed: 1, Read: read,
		Summary: Summary{Migrations: 3, Tables: 6, Indexes: 9, Policies: 1, Statements: 1204, GoPackages: 4, ElapsedMS: 77},
		Findings: []rules.Finding{
			{
				Rule: "unindexed-where", Severity: rules.Warning, Certainty: rules.Certain,
				Message:  "players.email has no index; each search scans players",
				Location: rules.Location{Path: "app/store.go", Line: 4, Column: 44},
				Related:  []rules.Related{{Location: rules.Location{Path: "db/001.sql", Line: 1}, Message: "table players"}},
				Object:   rules.Object{Schema: "public", Table: "players", Columns: []string{"email"}},
				Query: &rules.Query{
					Text: "select id from players where email = $1", Fingerprint: "a1", Source: "go", Symbol: "app.(*Store).Find",
				},
				Fix: &rules.Fix{SQL: []string{"create index concurrently players_email_idx on public.players (email);"}, Note: "each insert pays for one more index"},
				Verdict: rules.Verdict{
					Status: rules.Confirmed, Level: rules.Measured, ServerVersion: "15.14", Role: "authenticated",
					Rows: 100000, RowsSource: "measured",
					Before:   &rules.Evidence{Cost: 2084, MS: 9.1234, SharedBlocks: 1834, Access: "Seq Scan"},
					After:    &rules.Evidence{Cost: 8.31, MS: 0.021, SharedBlocks: 4, Access: "Index Scan using players_email_idx"},
					Settings: map[string]string{"request.jwt.claims": "***", "app.tenant": "***"},
				},
				SpecRef: "NFR-12",
			},
			{
				Rule: "nplusone", Severity: rules.Warning, Certainty: rules.Certain,
				Message:  "one update a player; n players are n round trips",
				Location: rules.Location{Path: "app/store.go", Line: 4, Column: 2},
				Query:    &rules.Query{Text: "\n\tupdate players set x = 1 where id = $1", Fingerprint: "a2", Source: "go"},
				Verdict: rules.Verdict{
					Status: rules.Confirmed, Level: rules.Measured,
					Before: &rules.Evidence{RoundTrips: 64, MS: 6.4}, After: &rules.Evidence{RoundTrips: 1, MS: 0.3},
				},
			},
			{
				Rule: "unindexed-order", Severity: rules.Info, Certainty: rules.Possible,
				Message:  "no index gives the order of visits.started_at",
				Location: rules.Location{Path: "gone.sql", Line: 9},
				Verdict:  rules.Verdict{Status: rules.Inconclusive, Reason: "set app.tenant"},
			},
			{
				Rule: "unindexed-foreign-key", Severity: rules.Error, Certainty: rules.Certain,
				Message:  "players.casino_id has no index; each delete on casinos scans players",
				Location: rules.Location{Path: "db/001.sql", Line: 3, Column: 12},
				Fix:      &rules.Fix{SQL: []string{"create index on public.players (casino_id)\n  include (id);"}},
				Verdict:  rules.Verdict{Status: rules.NotRun},
			},
			{
				Rule: "rls-disabled-with-policies", Severity: rules.Error, Certainty: rules.Certain,
				Message:  "visits has policies and row level security is off; none of them holds",
				Location: rules.Location{Path: "db/001.sql", Line: 5, Column: 14},
				Object:   rules.Object{Schema: "public", Table: "visits", Policy: "own `rows`"},
				Verdict:  rules.Verdict{Status: rules.Confirmed, Facts: []string{"pg_class.relrowsecurity is false"}, ServerVersion: "15.14"},
			},
			{
				Rule: "unindexed-join", Severity: rules.Warning, Certainty: rules.Certain,
				Message:  "visits.player_id has no index",
				Location: rules.Location{Path: "db/001.sql", Line: 1, Column: 1},
				Verdict:  rules.Verdict{Status: rules.Refuted, Level: rules.Structural, Reason: "visits_player_idx serves it"},
			},
			{
				Rule: "ignore-unused", Severity: rules.Warning, Certainty: rules.Certain,
				Message:  "planvet:ignore nplusone covers no finding; it would hide the next one",
				Location: rules.Location{Path: "app/store.go", Line: 1, Column: 1},
				Fix:      &rules.Fix{Note: "remove the comment"},
			},
		},
		Unparsed:   []Problem{{rules.Location{Path: "db/002.sql", Line: 8, Column: 3}, "syntax error at or near \"selec\""}},
		Unresolved: []Problem{{rules.Location{Path: "z.go", Line: 2}, "text comes from a parameter"}, {rules.Location{Path: "app/store.go", Line: 3}, "text comes from a file"}},
		NotApplied: []Problem{{rules.Location{Path: "db/003.sql", Line: 1, Column: 1}, "table nowhere does not exist"}},
	}
	rules.SetIDs(d.Findings)
	return d
}

func clean() *Document {
	return &Document{
		Version: "1.2.3", GoRun: true, ConfirmRun: true,
		Summary: Summary{Migrations: 1, Tables: 1, Indexes: 1, Policies: 0, Statements: 2, GoPackages: 1},
	}
}

// golden compares with testdata/golden/NAME; UPDATE=1 rewrites it.
func golden(t *testing.T, name string, write func(w io.Writer) error) {
	t.Helper()
	var b bytes.Buffer
	if err := write(&b); err != nil {
		t.Fatal(err)
	}
	casetest.Golden(t, filepath.Join("testdata", "golden", name), b.String())
}

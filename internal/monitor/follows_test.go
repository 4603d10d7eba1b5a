package monitor_test

import (
	"strings"
	"testing"

	"github.com/planvet/planvet/internal/live"
	"github.com/planvet/planvet/internal/monitor"
	"github.com/planvet/planvet/internal/shadow/shadowtest"
)

const loopSchema = `
	create table clubs (id bigint primary key, name text);
	create table players (id bigint primary key, club_id bigint not null references clubs, name text not null);
	create table weather (id bigint primary key, note text);
`

// TestFollowsRows plants counters of loops and of what is nearly one.
func TestFollowsRows(t *testing.T) {
	conn := shadowtest.Connect(t, loopSchema)
	cat := options(t, open(t, conn), "total", 0).Catalog
	const (
		clubOfPlayer  = "select name from clubs where id = $1"
		playersOfClub = "select id, name from players where club_id = $1"
		allPlayers    = "select id, club_id from players where name like $1"
	)
	row := func(id int64, sql string, calls, rows int64) live.Statement {
		return live.Statement{QueryID: id, UserID: 10, TopLevel: true, Query: sql, Calls: calls, Rows: rows, ExecMS: float64(calls)}
	}
	with := func(s live.Statement, change func(*live.Statement)) live.Statement { change(&s); return s }
	parent := row(1, allPlayers, 10, 1000)
	for _, c := range []struct {
		name string
		rows []live.Statement
		want bool
	}{
		{"as many", []live.Statement{parent, row(2, clubOfPlayer, 1000, 1000)}, true},
		{"a cache saves some", []live.Statement{parent, row(2, clubOfPlayer, 910, 910)}, true},
		{"a lookup that is none by key", []live.Statement{row(1, "select id from clubs where name > $1", 10, 1000), row(2, playersOfClub, 1050, 5000)}, true},
		{"over 10 % off", []live.Statement{parent, row(2, clubOfPlayer, 1110, 1110)}, false},
		{"under 20 calls for one", []live.Statement{row(1, allPlayers, 51, 1000), row(2, clubOfPlayer, 1000, 1000)}, false},
		{"few calls", []live.Statement{row(1, allPlayers, 1, 9), row(2, clubOfPlayer, 9, 9)}, false},
		{"no foreign key", []live.Statement{parent, row(2, "select note from weather where id = $1", 1000, 1000)}, false},
		{"another role", []live.Statement{parent, with(row(2, clubOfPlayer, 1000, 1000), func(s *live.Statement) { s.UserID = 11 })}, false},
		{"in a function", []live.Statement{parent, with(row(2, clubOfPlayer, 1000, 1000), func(s *live.Statement) { s.TopLevel = false })}, false},
		{"an aggregate", []live.Statement{row(1, "select club_id, count(*) from players group by club_id", 10, 1000), row(2, clubOfPlayer, 1000, 1000)}, false},
		{"a write", []live.Statement{row(1, "update players set name = $1 where club_id > $2", 10, 1000), row(2, clubOfPlayer, 1000, 1000)}, false},
		{"a range, not a lookup", []live.Statement{parent, row(2, "select name from clubs where id > $1", 1000, 1000)}, false},
	} {
		queries, _ := monitor.Queries(c.rows, cat, "total", monitor.DefaultLimits)
		var got []string
		for _, q := range queries {
			for _, f := range q.Flags {
				if f.Name == "follows-rows-of" {
					got = append(got, q.SQL+": "+f.Message)
					if f.Certainty != "possible" || f.Of == "" {
						t.Errorf("%s: %+v", c.name, f)
					}
				}
			}
		}
		if (len(got) == 1) != c.want || len(got) > 1 {
			t.Errorf("%s: got %q", c.name, got)
		}
	}

	// Of two that fit the nearer is named, by its rank.
	queries, _ := monitor.Queries([]live.Statement{parent, row(3, "select id from players where club_id > $1", 12, 1030), row(2, clubOfPlayer, 1025, 1000)}, cat, "total", monitor.DefaultLimits)
	if f := queries[0].Flags; len(f) != 1 || !strings.HasPrefix(f[0].Message, "#2, possibly: 1,025 calls for its 1,030 rows (select id from players where club_id > $1)") {
		t.Errorf("got %+v", f)
	}
}

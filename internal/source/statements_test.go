package source

import (
	"fmt"
	"strings"
	"testing"
)

// TestStatements ranks statements by time, one a fingerprint and role, leaves out what no
// index helps, and says what each cost.
func TestStatements(t *testing.T) {
	rows := []Row{
		{QueryIDs: []string{"2"}, SQL: "select a from t where b in ($1, $2)", Calls: 3, TotalMS: 30, Role: "app", RoleKnown: true},
		{QueryIDs: []string{"1"}, SQL: "select a from t where b in ($1)", Calls: 1, TotalMS: 10, Role: "app", RoleKnown: true},
		{QueryIDs: []string{"3"}, SQL: "select a from t where b in ($1)", Calls: 6, TotalMS: 20, Role: "owner", RoleKnown: true, Exempt: []string{"public.t"}},
		{QueryIDs: []string{"4"}, SQL: "select a\nfrom t where at > now() - interval $1", Calls: 2, TotalMS: 5},
		{QueryIDs: []string{"5"}, SQL: "vacuum t", Calls: 9, TotalMS: 25},
		{QueryIDs: []string{"6"}, SQL: "explain select a from t", Calls: 1, TotalMS: 1},
		{QueryIDs: []string{"7"}, SQL: "select relname from pg_class where oid = $1", Calls: 1, TotalMS: 4},
		{QueryIDs: []string{"8"}, SQL: "with c as (select $1) select * from c", Calls: 1, TotalMS: 1},
		{QueryIDs: []string{"9"}, SQL: `SELECT 1 FROM ONLY "public"."t" x WHERE "id" OPERATOR(pg_catalog.=) $1 FOR KEY SHARE OF x`, Calls: 4, TotalMS: 2},
		{QueryIDs: []string{"10"}, SQL: "select a from t where (", Calls: 1, TotalMS: 1},
		{QueryIDs: []string{"11"}, SQL: "select a from t where c = $1", Calls: 1, TotalMS: 1, Role: "root", RoleKnown: true, ExemptAll: true},
	}
	w := Statements(rows, 0)
	var got []string
	for _, s := range w.Statements {
		c := w.ByFingerprint[s.Fingerprint]
		got = append(got, fmt.Sprintf("%d %q %q %v %v %v %d %g %g", s.Location.Line, strings.ToLower(s.Text), s.Role, s.RoleKnown, s.Dynamic, c.QueryIDs, c.Calls, c.TotalMS, c.Share))
	}
	want := []string{
		`1 "select a from t where b in ($1, $2)" "app" true false [1 2 3] 10 60 0.6`,
		`1 "select a from t where b in ($1)" "" false false [1 2 3] 10 60 0.6`,
		`3 "select a from t where at > (now() - $1::interval)" "" false false [4] 2 5 0.05`,
		`8 "select a from t where c = $1" "" false true [11] 1 1 0.01`,
	}
	if g, w := strings.Join(got, "\n"), strings.Join(want, "\n"); g != w {
		t.Errorf("got\n%s\nwant\n%s", g, w)
	}
	if len(w.Roleless) != 1 || w.Roleless[0].Location.Line != 3 {
		t.Errorf("roleless %v", w.Roleless)
	}
	if len(w.Unparsed) != 1 || w.Unparsed[0].Location.Path != "pg_stat_statements" {
		t.Errorf("unparsed %+v", w.Unparsed)
	}
	if g := fmt.Sprint(w.LeftOut); g != "[{of the server's catalogs alone 2} {utility commands 2} {checks of foreign keys 1}]" {
		t.Errorf("left out %s", g)
	}
	if n := strings.Count(string(w.Excerpt()), "\n"); n != len(w.Ranked) {
		t.Errorf("%d lines for %d ranks", n, len(w.Ranked))
	}
	if s := Statements(rows[:1], 300).ByFingerprint[w.Statements[0].Fingerprint].Share; s != 0.1 {
		t.Errorf("a share of the server's time: %g", s)
	}
}

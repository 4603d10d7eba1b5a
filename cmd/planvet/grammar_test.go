package main

import (
	"os"
	"runtime/debug"
	"strings"
	"testing"

	"github.com/planvet/planvet/internal/pgast"
	"github.com/planvet/planvet/internal/pgast/grammar"
)

func TestVersion(t *testing.T) {
	code, out, errs := planvetRun(t, "version")
	want := "PostgreSQL 16 grammar (pg_query_go 5.1.0)"
	if pgast.GrammarMajor() == 18 {
		want = "PostgreSQL 18 grammar (oliphant 0.2.0)"
	}
	if lines := strings.Split(out, "\n"); code != 0 || errs != "" || len(lines) != 4 || lines[1] != want || !strings.HasPrefix(lines[0], "planvet ") {
		t.Errorf("%d, %q, %q", code, out, errs)
	}
	if code, _, _ := planvetRun(t, "version", "x"); code != 2 {
		t.Errorf("with an argument it ends with %d", code)
	}
}

// The version that the grammar names is the one that go.mod has.
func TestGrammarsVersion(t *testing.T) {
	bi, ok := debug.ReadBuildInfo()
	if !ok {
		t.Fatal("no build information")
	}
	for _, m := range bi.Deps {
		if strings.Contains(m.Path, "/"+grammar.Library) {
			if m.Version != "v"+grammar.LibraryVersion {
				t.Errorf("%s %s is linked, and it says %s", m.Path, m.Version, grammar.LibraryVersion)
			}
			return
		}
	}
	// Test binaries may have no list of modules.
	mod, err := os.ReadFile("../../go.mod")
	if err != nil {
		t.Fatal(err)
	}
	found := false
	for line := range strings.Lines(string(mod)) {
		path, version, _ := strings.Cut(strings.TrimSpace(line), " ")
		if strings.Contains(path, "/"+grammar.Library) {
			found = true
			if version != "v"+grammar.LibraryVersion {
				t.Errorf("go.mod has %s %s, and it says %s", path, version, grammar.LibraryVersion)
			}
		}
	}
	if !found {
		t.Errorf("go.mod does not require %s", grammar.Library)
	}
}

// docs/purego.md lists what only one of the grammars takes; each line is tried on the
// one that is linked.
func TestGrammarsDiffer(t *testing.T) {
	doc, err := os.ReadFile("../../docs/purego.md")
	if err != nil {
		t.Fatal(err)
	}
	rows := 0
	for line := range strings.Lines(string(doc)) {
		cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), " | ")
		if len(cells) != 3 || !strings.HasPrefix(strings.TrimSpace(cells[0]), "`") {
			continue
		}
		rows++
		sql := strings.Trim(strings.TrimSpace(cells[0]), "`")
		cell := strings.TrimSpace(cells[1])
		if pgast.GrammarMajor() == 18 {
			cell = strings.TrimSpace(cells[2])
		}
		_, err := pgast.Parse(sql)
		if (cell == "refused") != (err != nil) {
			t.Errorf("%s: %v, and the document says %q", sql, err, cell)
		}
	}
	if rows < 15 {
		t.Errorf("%d rows were found", rows)
	}
}

// Schemas of PostgreSQL 18 mean what they say, from migration to finding; the older
// grammar lists the statements as unparsed.
func TestNewerSyntax(t *testing.T) {
	dir := project(t, map[string]string{
		"migrations/1_init.sql": `create table parents (id bigint primary key);
create table loose (id bigint primary key, parent_id bigint references parents (id) not enforced);
create table tight (id bigint primary key, parent_id bigint references parents (id));
alter table tight add constraint n not null parent_id;
create table prices (id bigint primary key, net numeric not null, gross numeric generated always as (net * 1.2) virtual);
create table later (id bigint primary key, parent_id bigint constraint later_parent references parents (id));
alter table later alter constraint later_parent not enforced;
create table stays (room bigint, during tstzrange, primary key (room, during without overlaps));
`,
		"queries.sql": `-- name: Dear :many
select id from prices where gross = $1;
-- name: Raise :one
update prices set net = net * 2 where id = $1 returning with (old as before) before.net, new.net;
-- name: Sync :many
merge into prices p using staged s on p.id = s.id when not matched by source then delete returning merge_action(), p.id;
-- name: Items :many
select j.price from prices p, json_table(p.doc, '$[*]' columns (price numeric path '$.p')) j where p.id = $1;
`,
	})
	code, out, errs := planvetRun(t, "check", dir, "--rules", "unindexed-foreign-key,unindexed-where", "--verbose")
	if pgast.GrammarMajor() < 18 {
		for _, want := range []string{"not in the PostgreSQL 16 grammar", "8 unparsed"} {
			if !strings.Contains(out, want) {
				t.Errorf("no %q in %s%s", want, out, errs)
			}
		}
		return
	}
	for _, want := range []string{"tight.parent_id has no index", "create index on prices ((net * 1.2))", "0 unparsed", "0 not applied"} {
		if !strings.Contains(out, want) {
			t.Errorf("no %q in the output", want)
		}
	}
	for _, wrong := range []string{"loose", "later", "staged has"} {
		if strings.Contains(out, wrong) {
			t.Errorf("%q is in the output", wrong)
		}
	}
	if t.Failed() {
		t.Logf("%d\n%s%s", code, out, errs)
	}
}

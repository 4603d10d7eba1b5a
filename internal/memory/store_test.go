package memory

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/planvet/planvet/internal/shadow/shadowtest"
)

// onBoth runs a test on an empty store of each kind.
func onBoth(t *testing.T, f func(t *testing.T, place string)) {
	t.Run("sqlite", func(t *testing.T) { f(t, filepath.Join(t.TempDir(), "sub folder #1", "memory.db")) })
	t.Run("postgres", func(t *testing.T) { f(t, shadowtest.URL(t)) })
}

func opened(t *testing.T, place string) Store {
	t.Helper()
	s, err := Open(t.Context(), place)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func add(t *testing.T, s Store, want int, es ...Entry) {
	t.Helper()
	if n, err := s.Add(t.Context(), es); err != nil || n != want {
		t.Fatalf("added %d, want %d: %v", n, want, err)
	}
}

func ids(t *testing.T, s Store, q Query) string {
	t.Helper()
	es, err := s.Find(t.Context(), q)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, e := range es {
		out = append(out, e.ID)
	}
	return strings.Join(out, " ")
}

// planted are entries that share words with the one that is sought.
func planted(t *testing.T) []Entry {
	t.Helper()
	es := settled(t, asSkill+`
	{"id": "pool", "task": "Pool size of the API", "outcome": "failure", "lessons_learned": ["The index of a pool is no index"], "tags": ["performance"], "category": "skills"}
	{"id": "where", "task": "Index on orders", "outcome": "success", "pattern_used": "create index on orders (customer_id)", "rule": "unindexed-where", "tags": ["performance", "indexing"], "category": "findings", "fingerprint": "f1"}
	{"id": "policy", "task": "RLS policies of slips", "outcome": "partial", "pattern_used": "wrapped auth.uid() in a subquery", "rule": "rls-initplan", "tags": ["rls"], "category": "skills"}
	{"id": "hours", "task": "Öffnungszeiten für Ärzte", "outcome": "success", "skill_name": "dba", "files_created": ["db/migrations/0007_add_Öffnung.sql"]}`)
	es[0].ID, es[0].Tags = "planted", []string{"indexing", "performance", "rls"}
	for i := range es {
		es[i].Time = noon.Add(time.Duration(i) * time.Hour)
	}
	return es
}

func TestFind(t *testing.T) {
	onBoth(t, func(t *testing.T, place string) {
		s, es := opened(t, place), planted(t)
		if _, err := s.Find(t.Context(), Query{}); !errors.Is(err, ErrNone) {
			t.Errorf("%v, want ErrNone", err)
		}
		plan, err := s.Plan(t.Context())
		if err != nil || !strings.Contains(plan, "create ") {
			t.Errorf("%q %v", plan, err)
		}
		if _, err := s.Find(t.Context(), Query{}); !errors.Is(err, ErrNone) {
			t.Errorf("telling the plan has made it: %v", err)
		}
		add(t, s, len(es), es...)
		add(t, s, 0, es[0], es[1])
		if plan, err := s.Plan(t.Context()); plan != "" || err != nil {
			t.Errorf("%q %v", plan, err)
		}
		for _, c := range []struct {
			q    Query
			want string
		}{
			{Query{Text: "RLS index", Limit: 1}, "planted"},
			{Query{Text: "the indexing of RLS", Limit: 1}, "planted"},
			{Query{Text: "query optimization RLS", Tags: []string{"performance", "RLS", "indexing"}, Category: "Skills", Limit: 5}, "planted"},
			{Query{Text: "casino_id player_id"}, "planted where"},
			{Query{Text: "0007_add"}, "hours planted"},
			{Query{Text: "öffnung", Skill: "dba"}, "hours"},
			{Query{Text: "nothing like it"}, ""},
			{Query{Text: "\"'; drop table entries; -- ()*:&|!<->"}, "planted"},
			{Query{Text: "!!"}, ""},
			{Query{Text: "index", Rule: "unindexed-where"}, "where"},
			{Query{Fingerprint: "f1"}, "where"},
			{Query{Tags: []string{"rls"}}, "policy planted"},
			{Query{Outcome: Failure}, "pool"},
			{Query{Limit: 2}, "hours policy"},
			{Query{Oldest: true}, "planted pool where policy hours"},
			{Query{Rule: "x' or true --"}, ""},
		} {
			if got := ids(t, s, c.q); got != c.want {
				t.Errorf("%+v: %q, want %q", c.q, got, c.want)
			}
		}
		got, err := s.Find(t.Context(), Query{Oldest: true})
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(es, got); d != "" {
			t.Error(d)
		}
	})
}

// What one store exports the other imports, and exports the same.
func TestPortable(t *testing.T) {
	var files []string
	onBoth(t, func(t *testing.T, place string) {
		s := opened(t, place)
		if len(files) == 0 {
			add(t, s, 5, planted(t)...)
		} else {
			es := settled(t, files[0])
			add(t, s, len(es), es...)
		}
		es, err := s.Find(t.Context(), Query{Oldest: true})
		if err != nil {
			t.Fatal(err)
		}
		var out bytes.Buffer
		if err := Export(&out, es); err != nil {
			t.Fatal(err)
		}
		files = append(files, out.String())
	})
	if len(files) == 2 && files[0] != files[1] || len(files) == 0 || strings.Count(files[0], "\n") != 5 {
		t.Error(cmp.Diff(files[0], files[len(files)-1]))
	}
}

// An add is whole or not at all.
func TestAddIsWhole(t *testing.T) {
	onBoth(t, func(t *testing.T, place string) {
		s, es := opened(t, place), planted(t)
		add(t, s, 1, es[0])
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if n, err := s.Add(ctx, es[1:]); err == nil || n != 0 {
			t.Errorf("%d %v", n, err)
		}
		if got := ids(t, opened(t, place), Query{}); got != "planted" {
			t.Error(got)
		}
	})
}

func TestBrokenFiles(t *testing.T) {
	dir := t.TempDir()
	text := filepath.Join(dir, "text.db")
	if err := os.WriteFile(text, []byte(strings.Repeat("no database ", 400)), 0o644); err != nil {
		t.Fatal(err)
	}
	changed := func(name, statement string) string {
		path := filepath.Join(dir, name)
		if name != "other.db" {
			add(t, opened(t, path), 1, settled(t, asSkill)...)
		}
		db, err := sql.Open("sqlite", path)
		if err == nil {
			_, err = db.Exec(statement)
		}
		if err = errors.Join(err, db.Close()); err != nil {
			t.Fatal(err)
		}
		return path
	}
	cut := changed("cut.db", "pragma user_version = 1")
	if err := os.Truncate(cut, 6000); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{
		text: "is no SQLite database", cut: "is damaged", dir: "is a folder",
		changed("newer.db", "pragma user_version = 2"):   "has version 2, this planvet knows 1: take a newer planvet",
		changed("other.db", "create table mine (i int)"): "something else, not planvet's",
	} {
		for name, do := range map[string]func(Store) error{
			"find": func(s Store) error { _, err := s.Find(t.Context(), Query{Text: "index"}); return err },
			"add":  func(s Store) error { _, err := s.Add(t.Context(), settled(t, asSkill)); return err },
		} {
			if err := do(opened(t, path)); err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "\n") {
				t.Errorf("%s %s: %v, want %s", name, filepath.Base(path), err, want)
			}
		}
	}
	if _, err := Open(t.Context(), "mysql://root:hunter2@host/db"); err == nil || strings.Contains(err.Error(), "hunter2") {
		t.Error(err)
	}
}

func shortWait(t *testing.T) {
	old := wait
	wait = 200 * time.Millisecond
	t.Cleanup(func() { wait = old })
}

func TestLocked(t *testing.T) {
	shortWait(t)
	onBoth(t, func(t *testing.T, place string) {
		s := opened(t, place)
		add(t, s, 1, settled(t, asSkill)...)
		if IsURL(place) {
			tx, err := s.(*postgresStore).session.Conn().Begin(t.Context())
			if err == nil {
				_, err = tx.Exec(t.Context(), "select pg_advisory_xact_lock($1)", int64(making))
			}
			if err != nil {
				t.Fatal(err)
			}
			defer tx.Rollback(t.Context())
		} else {
			tx, err := s.(*sqliteStore).db.Begin() // immediate
			if err != nil {
				t.Fatal(err)
			}
			defer tx.Rollback()
		}
		_, err := opened(t, place).Add(t.Context(), settled(t, asSkill))
		if err == nil || !strings.Contains(err.Error(), "is locked: another") || strings.Contains(err.Error(), "\n") {
			t.Error(err)
		}
		if got, err := opened(t, place).Find(t.Context(), Query{}); err != nil || len(got) != 1 {
			t.Errorf("a reader: %v %v", got, err)
		}
	})
}

func TestBrokenSchemas(t *testing.T) {
	for name, c := range map[string]struct{ setup, want string }{
		"newer":   {"create schema planvet_memory; create table planvet_memory.format as select 2 as version", "has version 2, this planvet knows 1"},
		"foreign": {"create schema planvet_memory", "that planvet did not make"},
		"rights":  {postgresSchema + "create role nobody_here; set role nobody_here", ""},
	} {
		t.Run(name, func(t *testing.T) {
			conn := shadowtest.Connect(t, c.setup)
			s := opened(t, conn.Config().ConnString())
			if name == "rights" {
				if _, err := s.(*postgresStore).session.Conn().Exec(t.Context(), "set role nobody_here"); err != nil {
					t.Fatal(err)
				}
				defer conn.Exec(context.Background(), "reset role; drop role nobody_here")
				c.want = "its owner grants usage on schema planvet_memory"
			}
			_, err := s.Find(t.Context(), Query{})
			_, err2 := s.Add(t.Context(), settled(t, asSkill))
			for _, err := range []error{err, err2} {
				if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "\n") {
					t.Errorf("%v, want %s", err, c.want)
				}
			}
		})
	}
}

// The newest and the best of many come through a limit.
func TestManyEntries(t *testing.T) {
	onBoth(t, func(t *testing.T, place string) {
		s := opened(t, place)
		var es []Entry
		for i := range 2000 {
			es = append(es, settled(t, fmt.Sprintf(`{"id": "e%d", "task": "index %d of many", "outcome": "success", "lessons_learned": ["an index"]}`, i, i))...)
		}
		es = append(es, settled(t, asSkill)...)
		es[2000].ID = "planted"
		add(t, s, 2001, es...)
		if got := ids(t, s, Query{Text: "RLS index", Limit: 1}); got != "planted" {
			t.Error(got)
		}
	})
}

func TestRecall(t *testing.T) {
	const at = `, "time": "2026-03-01T12:00:00Z"`
	es := settled(t, `{"id": "a", "task": "t", "outcome": "success", "pattern_used": "an index on (casino_id, player_id)", "fingerprint": "f1", "rule": "unindexed-where", "validation_results": {"p95_before_ms": 450, "p95_after_ms": 85}`+at+`}
	{"id": "b", "task": "t", "outcome": "success", "pattern_used": "a smaller index", "fingerprint": "f1", "rule": "unindexed-where", "validation_results": {"p95_before_ms": 100, "p95_after_ms": 90}`+at+`}
	{"id": "c", "task": "t", "outcome": "failure", "pattern_used": "a rewrite", "fingerprint": "f1", "validation_results": {"p95_before_ms": 100, "p95_after_ms": 120}`+at+`}
	{"id": "d", "task": "t", "outcome": "confirmed", "pattern_used": "create index …", "fingerprint": "f2", "finding": "v1:d", "rule": "unindexed-join", "source": "check"`+at+`}
	{"id": "e", "task": "t", "outcome": "success", "pattern_used": "(select auth.uid())", "object": "public.slips", "rule": "rls-initplan"`+at+`}`)
	onBoth(t, func(t *testing.T, place string) {
		s := opened(t, place)
		add(t, s, len(es), es...)
		got, err := Recall(t.Context(), s, []Subject{
			{Finding: "v1:x", Rule: "unindexed-where", Fingerprint: "f1"}, {Finding: "v1:y", Fingerprint: "f2", Rule: "unindexed-join"},
			{Finding: "v1:d", Fingerprint: "f2", Rule: "unindexed-join"}, {Finding: "v1:z", Rule: "rls-initplan", Fingerprint: "f9"}, {Rule: "nplusone"}, {},
		})
		if err != nil {
			t.Fatal(err)
		}
		var lines []string
		for i, list := range got {
			for _, r := range list {
				lines = append(lines, fmt.Sprint(i, " ", r.Entry, ": ", r.Text))
			}
		}
		if d := cmp.Diff([]string{
			"0 a: the same shape was fixed by an index on (casino_id, player_id): p95 450 ms → 85.0 ms (−81 %), 2026-03-01",
			"0 c: for the same shape this did not help: a rewrite: p95 100 ms → 120 ms (+20 %), 2026-03-01",
			"1 d: for the same shape a planner confirmed create index …, 2026-03-01",
			"3 e: rls-initplan on public.slips was fixed by (select auth.uid()), 2026-03-01",
		}, lines); d != "" {
			t.Error(d)
		}
	})
}

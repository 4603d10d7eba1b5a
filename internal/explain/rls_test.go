package explain

import (
	"context"
	"strings"
	"testing"

	"github.com/planvet/planvet/catalog"
	"github.com/planvet/planvet/internal/live"
	"github.com/planvet/planvet/internal/shadow/shadowtest"
)

// platform is what the policies of the tests call; roles belong to the server.
const platform = `
do $$ begin create role anon; exception when duplicate_object then null; end $$;
do $$ begin create role authenticated; exception when duplicate_object then null; end $$;
create schema auth;
create function auth.uid() returns uuid language sql stable as $$
  select coalesce(nullif(current_setting('request.jwt.claim.sub', true), ''), (nullif(current_setting('request.jwt.claims', true), '')::jsonb ->> 'sub'))::uuid
$$;
grant usage on schema auth to anon, authenticated;
alter default privileges grant all on tables to anon, authenticated;
`

// person is the user with a number.
const person = `create function person(n bigint) returns uuid language sql immutable as $$ select ('00000000-0000-4000-8000-' || lpad(n::text, 12, '0'))::uuid $$;`

const notes = platform + person + `
create table notes (id bigint generated always as identity primary key, user_id uuid not null, body text not null);
insert into notes (user_id, body) select person(i % 1000), 'note ' || i from generate_series(1, 100000) i;
vacuum analyze notes;
alter table notes enable row level security;
`

var asPerson7 = Identity{"authenticated", map[string]string{"request.jwt.claims": `{"role":"authenticated","sub":"00000000-0000-4000-8000-000000000007"}`}}

// database opens a writable session on a fresh database with a schema; statements
// run one by one, so that VACUUM may be among them.
func database(t *testing.T, schema string) *live.Session {
	t.Helper()
	ctx := context.Background()
	s, err := live.Connect(ctx, shadowtest.URL(t), live.Options{Writable: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close(ctx) })
	apply(t, s, schema)
	return s
}

func apply(t *testing.T, s *live.Session, schema string) *catalog.Catalog {
	t.Helper()
	ctx := context.Background()
	for _, sql := range strings.Split(schema, ";\n") {
		if _, err := s.Conn().PgConn().Exec(ctx, sql).ReadAll(); err != nil {
			t.Fatalf("%v\n%s", err, sql)
		}
	}
	cat, err := s.LoadCatalog(ctx)
	if err != nil {
		t.Fatal(err)
	}
	return cat
}

func measure(t *testing.T, s *live.Session, cat *catalog.Catalog, sql string, o OverheadOptions) *Overhead {
	t.Helper()
	out, err := MeasureOverhead(context.Background(), s, cat, sql, o)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// TestOverhead is row 68: the same rows with and without row security. What a
// policy calls for each row costs many times the rows themselves; wrapped and with an
// index it costs nothing that blocks would show.
func TestOverhead(t *testing.T) {
	s := database(t, notes)
	cat := apply(t, s, "create policy own on notes for select to authenticated using (user_id = auth.uid());\n")
	bare := measure(t, s, cat, "select * from notes;", OverheadOptions{Identity: asPerson7})
	if !bare.SameRows || bare.Problem != "" || bare.Enforced.Rows != 100 || bare.Ideal.Rows != 100 || bare.Naked.Rows != 100_000 {
		t.Fatalf("rows are not the same: %+v", bare)
	}
	if bare.Ratio < 4 || bare.MS < 20 || bare.Rounds < 1 {
		t.Errorf("overhead is %.1f ms, ratio %.1f in %d rounds; the call for each of 100,000 rows does not show", bare.MS, bare.Ratio, bare.Rounds)
	}
	if !strings.Contains(bare.Ideal.SQL, "'00000000-0000-4000-8000-000000000007'::uuid") || strings.Contains(bare.Ideal.SQL, "auth") {
		t.Errorf("the ideal statement is %s", bare.Ideal.SQL)
	}
	cat = apply(t, s, "alter policy own on notes using (user_id = (select auth.uid()));\ncreate index on notes (user_id);\n")
	good := measure(t, s, cat, "select * from notes", OverheadOptions{Identity: asPerson7})
	if !good.SameRows || good.Enforced.Blocks > good.Ideal.Blocks+2 || good.Enforced.Blocks > bare.Enforced.Blocks/4 || good.MS > bare.MS/10 {
		t.Errorf("wrapped and indexed: %+v against %+v", good.Enforced, good.Ideal)
	}
}

// TestIdealRows: what the ideal arm writes into the statement gives the role's rows,
// whatever the policies and the statement are made of.
func TestIdealRows(t *testing.T) {
	s := database(t, strings.Replace(notes, "100000", "5000", 1)+`
create table teams (id bigint primary key, name text not null, archived boolean not null default false);
create table members (team_id bigint not null references teams, user_id uuid not null, admin boolean not null default false);
create table plans (id bigint generated always as identity primary key, team_id bigint, title text not null, state text not null);
insert into teams select i, 'team ' || i, i % 5 = 0 from generate_series(1, 50) i;
insert into members select t.id, person(t.id + k), k = 0 from teams t, generate_series(0, 3) k;
insert into plans (team_id, title, state) select i % 50 + 1, 'plan ' || i, (array['open','done'])[i % 2 + 1] from generate_series(1, 2000) i;
create function my_teams() returns setof bigint language sql stable security definer as $$ select team_id from members where user_id = auth.uid() $$;
create function is_member(team bigint) returns boolean language sql stable security definer as $$ select exists (select 1 from members where team_id = team and user_id = auth.uid()) $$;
create function is_signed_in() returns boolean language plpgsql as $$ begin return auth.uid() is not null; end $$;
alter table teams enable row level security;
alter table members enable row level security;
alter table plans enable row level security;
create policy own on notes using (user_id = auth.uid());
create policy mine on members using (user_id = (select auth.uid()));
create policy joined on teams using (id in (select team_id from members where user_id = auth.uid()));
create policy live on teams as restrictive using (not archived);
create policy called on plans for select using (team_id in (select my_teams()) and is_signed_in());
create policy checked on plans for select to authenticated using (state = 'open' and is_member(team_id) or team_id is null);
create table settings (name text primary key, value text);
create view open_plans as select * from plans where state = 'open';
`)
	cat := apply(t, s, "analyze;\n")
	for _, c := range []struct {
		name, sql string
		rows      int64
	}{
		{"set and permissive ors", "select * from plans", 160},
		{"aggregate", "select state, count(*) from plans group by state", 2},
		{"restrictive and nested policies", "select * from teams order by id", 3},
		{"outer join and alias", "select p.id, t.name from plans as p left join teams t on t.id = p.team_id", 160},
		{"subqueries", "select n.id, (select count(*) from members m) from notes n where exists (select 1 from teams t where t.name = 'team 4') limit 1000", 5},
		{"with", "with x as (select * from plans), notes as (select 1 as a) select * from x, notes", 160},
		{"union", "select id from teams union all select team_id from members", 7},
		{"owner's view beside a table", "select p.id from plans p join open_plans o using (id)", 80},
		{"sample", "select * from plans tablesample bernoulli (100) where false", 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := measure(t, s, cat, c.sql, OverheadOptions{Identity: asPerson7})
			if !o.SameRows || o.Problem != "" {
				t.Fatalf("problem %q\n%s", o.Problem, o.Ideal.SQL)
			}
			if o.Enforced.Rows != c.rows {
				t.Errorf("%d rows, want %d\n%s", o.Enforced.Rows, c.rows, o.Ideal.SQL)
			}
		})
	}
	for _, c := range []struct{ name, sql, problem string }{
		{"a write", "delete from plans", "a write changes the rows"},
		{"locks", "select * from plans for update", "locks rows"},
		{"rows that differ", "select id from notes limit 5 offset 3", ""},
		{"an owner's view alone", "select count(*) from open_plans", "binds authenticated on no table"},
		{"no row security", "select 1", "binds authenticated on no table"},
		{"a syntax error", "select from where", "reading the statement"},
		{"a function of the user that reads policies' tables", "select caller_count() from teams", "cannot be compared"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if c.name == "a function of the user that reads policies' tables" {
				cat = apply(t, s, "create function caller_count() returns bigint language plpgsql stable as $$ begin return (select count(*) from plans); end $$;\n")
			}
			o := measure(t, s, cat, c.sql, OverheadOptions{Identity: asPerson7})
			if !strings.Contains(o.Problem, c.problem) || c.problem != "" && (o.MS != 0 || o.SameRows) {
				t.Errorf("problem %q, want %q; overhead %v", o.Problem, c.problem, o.MS)
			}
		})
	}
}

// TestLaterConjunct: rows that a cheaper condition removes never come to the call.
func TestLaterConjunct(t *testing.T) {
	s := database(t, strings.Replace(notes, "100000", "5000", 1))
	cat := apply(t, s, "create policy own on notes for select to authenticated using (user_id = auth.uid());\n")
	o := measure(t, s, cat, "select id from notes where body = 'note 7'", OverheadOptions{Identity: asPerson7})
	if f := o.Policies[0].Functions; len(f) != 1 || f[0].Evaluated != PerRow || f[0].Calls != 1 {
		t.Errorf("%+v; %s", f, o.Problem)
	}
}

// TestCallPlaces is row 70: how often a policy's call is evaluated, from the plan.
func TestCallPlaces(t *testing.T) {
	s := database(t, notes+`
create function is_admin() returns boolean language plpgsql stable security definer as $$ begin return false; end $$;
create function may_read(note bigint) returns boolean language plpgsql stable as $$ begin return note > 0; end $$;
create policy p on notes for select to authenticated using (true);
`)
	for _, c := range []struct {
		name, using, index string
		want               map[string]string
		calls              float64
	}{
		{"inlined and bare", "user_id = auth.uid()", "", map[string]string{"auth.uid()": PerRow}, 100_000},
		{"inlined and wrapped", "user_id = (select auth.uid())", "", map[string]string{"auth.uid()": Once}, 1},
		{"bare in an index", "user_id = auth.uid()", "create index notes_user on notes (user_id)", map[string]string{"auth.uid()": InIndex}, 1},
		{"wrapped with an index", "user_id = (select auth.uid())", "create index notes_user on notes (user_id)", map[string]string{"auth.uid()": Once}, 1},
		{"plpgsql bare", "is_admin()", "", map[string]string{"is_admin()": PerRow}, 100_000},
		{"plpgsql wrapped", "(select is_admin()) or user_id = (select auth.uid())", "", map[string]string{"is_admin()": Once, "auth.uid()": Once}, 1},
		{"of the row", "may_read(id)", "", map[string]string{"may_read(id)": PerRow}, 100_000},
		{"one of each", "user_id = (select auth.uid()) and may_read(id)", "", map[string]string{"may_read(id)": PerRow, "auth.uid()": Once}, 0},
		{"after another condition", "id <= 20 and user_id = auth.uid()", "", map[string]string{"auth.uid()": PerRow}, 20},
		{"a setting", "body = current_setting('app.body', true)", "", map[string]string{"current_setting('app.body', true)": PerRow}, 100_000},
	} {
		t.Run(c.name, func(t *testing.T) {
			cat := apply(t, s, "drop index if exists notes_user;\nalter policy p on notes using ("+c.using+");\n"+c.index+";\n")
			o := measure(t, s, cat, "select count(*) from notes", OverheadOptions{Identity: asPerson7})
			if len(o.Policies) != 1 {
				t.Fatalf("policies: %+v; %s", o.Policies, o.Problem)
			}
			fs := o.Policies[0].Functions
			if len(fs) != len(c.want) {
				t.Errorf("calls: %+v", fs)
			}
			for _, f := range fs {
				name := strings.ReplaceAll(f.Function, "::text", "")
				if c.want[name] != f.Evaluated {
					t.Errorf("%s is evaluated %q, want %q", name, f.Evaluated, c.want[name])
				}
				if c.calls != 0 && f.Calls != c.calls {
					t.Errorf("%s is called %v times, want %v", name, f.Calls, c.calls)
				}
			}
		})
	}
}

// TestDemotions is row 71: conditions that a policy keeps out of their index.
func TestDemotions(t *testing.T) {
	s := database(t, notes+`
alter table notes add tags jsonb not null default '{}', add day date not null default '2025-01-01';
create index notes_tags on notes using gin (tags);
create index notes_day on notes (day);
create index notes_body on notes (lower(body));
create policy own on notes for select to authenticated using (user_id = (select auth.uid()));
`)
	cat := apply(t, s, "vacuum analyze notes;\n")
	for _, c := range []struct{ sql, index, advice, condition string }{
		{`select id from notes where tags @> '{"a":1}'`, "notes_tags", "(user_id, that column)", `tags @> '{"a":1}'`},
		{"select id from notes where lower(body) = 'note 7'", "notes_body", "leakproof type", "lower(body) = 'note 7'"},
		{"select id from notes where day = '2024-01-01'", "", "", ""},
		{"select id from notes where id = 5", "", "", ""},
	} {
		o := measure(t, s, cat, c.sql, OverheadOptions{Identity: asPerson7})
		if c.index == "" {
			if len(o.Demoted) > 0 {
				t.Errorf("%s: %+v", c.sql, o.Demoted)
			}
			continue
		}
		if len(o.Demoted) != 1 || o.Demoted[0].Index != c.index || o.Demoted[0].Condition != c.condition || !strings.Contains(o.Demoted[0].Advice, c.advice) ||
			!strings.Contains(o.Demoted[0].Advice, "security definer") || strings.Contains(strings.ToLower(o.Demoted[0].Advice), "alter function") {
			t.Errorf("%s: %+v; %s", c.sql, o.Demoted, o.Problem)
		}
		if o.Demoted != nil && o.Enforced.Blocks < 4*o.Ideal.Blocks {
			t.Errorf("%s: %d blocks as the role, %d without: the index is not missed", c.sql, o.Enforced.Blocks, o.Ideal.Blocks)
		}
	}
}

// TestRemedies: what wrapping, an index and both give, and what TO gives to anon
// (row 72), by blocks and times of ten and more.
func TestRemedies(t *testing.T) {
	s := database(t, notes)
	cat := apply(t, s, "create policy own on notes for select using (user_id = auth.uid());\n")
	o := measure(t, s, cat, "select * from notes", OverheadOptions{Identity: asPerson7, Remedies: true})
	if o.Problem != "" || len(o.Remedies) != 4 {
		t.Fatalf("%s; remedies are %+v", o.Problem, o.Remedies)
	}
	for i, want := range []string{"evaluated once a query", "an index on notes.user_id", "together", "to authenticated"} {
		r := o.Remedies[i]
		if !strings.Contains(r.Title, want) || r.Verified != Measured || r.After == nil {
			t.Errorf("remedy %d is %q, verified %q (%s); want %q", i, r.Title, r.Verified, r.Why, want)
			continue
		}
		if gain := r.Before.MS / max(r.After.MS, 0.001); gain < 4 {
			t.Errorf("%s: %.3f ms before, %.3f ms after", r.Title, r.Before.MS, r.After.MS)
		}
		if i > 0 && r.Before.Blocks < 4*r.After.Blocks {
			t.Errorf("%s: %d blocks before, %d after", r.Title, r.Before.Blocks, r.After.Blocks)
		}
	}
	if sql := o.Remedies[1].SQL[0]; sql != "create index concurrently on notes (user_id)" {
		t.Errorf("the index is made by %s", sql)
	}
	if after := apply(t, s, ""); len(after.Relation("public", "notes").Indexes) != 1 || strings.Contains(after.Relation("public", "notes").Policy("own").Using, "select") {
		t.Error("a remedy was left in place")
	}
}

// TestRemediesKeepRows: TO is not proposed where anon sees rows by the policies.
func TestRemediesKeepRows(t *testing.T) {
	s := database(t, strings.Replace(notes, "100000", "2000", 1)+"create policy own on notes for select using (user_id = auth.uid() or id = 1);\n")
	cat := apply(t, s, "")
	o := measure(t, s, cat, "select * from notes where id > 10", OverheadOptions{Identity: asPerson7, Remedies: true})
	for _, r := range o.Remedies {
		if strings.Contains(r.Title, "name their role") {
			t.Errorf("%s, and anon sees a row", r.Title)
		}
	}
	if o.Problem != "" || len(o.Remedies) == 0 {
		t.Errorf("%s: %+v", o.Problem, o.Remedies)
	}
}

// TestNoBypass: a role that row security binds cannot give the ideal arm.
func TestNoBypass(t *testing.T) {
	s := database(t, notes+"create policy own on notes for select using (user_id = auth.uid());\n")
	cat := apply(t, s, "do $$ begin create role plain; exception when duplicate_object then null; end $$;\ngrant authenticated to plain;\nset session authorization plain;\n")
	o := measure(t, s, cat, "select * from notes", OverheadOptions{Identity: asPerson7})
	if !strings.Contains(o.Problem, "BYPASSRLS") || o.SameRows || o.MS != 0 || o.Enforced.MS == 0 {
		t.Errorf("%+v", o)
	}
}

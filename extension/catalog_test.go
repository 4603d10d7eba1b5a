package extension_test

import (
	"testing"

	"github.com/jackc/pgx/v5"
)

func TestUnindexedForeignKeys(t *testing.T) {
	conn := installed(t, `create table parent (id int primary key, a int, b int, unique (a, b));
		create table covered (id int, p int references parent); create index on covered (p);
		create table led (id int, p int references parent); create index on led (p, id);
		create table second (id int, p int references parent on delete cascade); create index on second (id, p);
		create table bare (id int, "the parent" int constraint "odd name" references parent);
		create table anyorder (b int, a int, foreign key (a, b) references parent (a, b)); create index on anyorder (b);
		create table partly (p int references parent, gone bool); create index on partly (p) where not gone;
		create table present (p int references parent); create index on present (p) where p is not null;
		create table expr (p int references parent); create index on expr ((p + 1));
		create table block (id int, p int references parent); create index on block using brin (id, p);
		create table parts (id int, p int references parent on delete set null) partition by range (id);
		create table parts1 partition of parts for values from (0) to (9);
		create table leafs (id int, p int references parent) partition by range (id);
		create table leafs1 partition of leafs for values from (0) to (9); create index on leafs (p);
		create schema "other one"; create table "other one".kids (p int references public.parent);
		insert into bare select i, null from generate_series(1, 700) i; analyze bare`)
	want := `other one|kids|kids_p_fkey|{p}|public.parent|no action|
public|bare|odd name|{"the parent"}|public.parent|no action|700
public|expr|expr_p_fkey|{p}|public.parent|no action|
public|partly|partly_p_fkey|{p}|public.parent|no action|
public|parts|parts_p_fkey|{p}|public.parent|set null|
public|second|second_p_fkey|{p}|public.parent|cascade|`
	got := ask(t, conn, `select schema_name, table_name, constraint_name, columns, referenced_schema || '.' || referenced_table, on_delete, nullif(estimated_rows, 0)
		from planvet.unindexed_foreign_keys order by 1, 2`)
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	// Each suggestion runs, and then there is nothing left.
	rows, err := conn.Query(t.Context(), "select suggestion from planvet.unindexed_foreign_keys")
	if err != nil {
		t.Fatal(err)
	}
	all, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		t.Fatal(err)
	}
	run(t, conn, all...)
	if got := ask(t, conn, "select count(*) from planvet.unindexed_foreign_keys"); got != "0" {
		t.Errorf("%s are left after what was suggested", got)
	}
}

const authSchema = `create schema auth;
	create function auth.uid() returns uuid language sql stable as $$ select nullif(current_setting('request.jwt.claim.sub', true), '')::uuid $$;
	create function auth.jwt() returns jsonb language sql stable as $$ select nullif(current_setting('request.jwt.claims', true), '')::jsonb $$;
	create function auth.role() returns text language sql stable as $$ select auth.jwt() ->> 'role' $$;`

func TestPolicyReport(t *testing.T) {
	conn := installed(t, authSchema, `create table members (team int, usr uuid); create index on members (usr);
		create table notes (id int primary key, owner uuid, team int, body text, gone bool); create index on notes (team, owner);
		create table off (id int, owner uuid); create policy p on off using (owner = auth.uid());
		create table shut (id int); alter table shut enable row level security;
		create table plain (id int);
		alter table notes enable row level security; alter table notes force row level security;
		do $$ begin create role planvet_ext_a; exception when duplicate_object then null; end $$;
		create policy bare on notes for select to planvet_ext_a using (owner = auth.uid());
		create policy wrapped on notes for select using (owner = (select auth.uid()) and not gone);
		create policy half on notes for update using (owner = (select auth.uid())) with check (team = ((auth.jwt() ->> 'team')::int));
		create policy deep on notes for delete using (team = (select (((auth.jwt() -> 'app') ->> 'team')::int)));
		create policy sub on notes as restrictive using (team in (select m.team from members m where m.usr = auth.uid()));
		create policy subok on notes using (exists (select from members m where m.usr = (select auth.uid()) and m.team = notes.team));
		create policy setting on notes for insert with check (body <> 'auth.jwt()' and team = current_setting('app.team')::int);
		create policy pretend on notes using (body = '(select auth.uid()' || (extract(day from now()))::text)`)
	want := `notes|t|t|bare|t|select|{planvet_ext_a}|{auth.uid()}|{owner}
notes|t|t|deep|t|delete|{public}|{}|{}
notes|t|t|half|t|update|{public}|{auth.jwt()}|{owner}
notes|t|t|pretend|t|all|{public}|{}|{body}
notes|t|t|setting|t|insert|{public}|{current_setting()}|
notes|t|t|sub|f|all|{public}|{auth.uid()}|{}
notes|t|t|subok|t|all|{public}|{}|{}
notes|t|t|wrapped|t|select|{public}|{}|{gone,owner}
off|f|f|p|t|all|{public}|{auth.uid()}|{owner}
shut|t|f||||||`
	got := ask(t, conn, `select table_name, enabled, forced, policy_name, permissive, command, roles, bare_calls, columns_without_index
		from planvet.policy_report order by table_name, policy_name`)
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	run(t, conn, "set search_path = auth, public")
	if got := ask(t, conn, "select bare_calls from planvet.policy_report where policy_name = 'bare'"); got != "{auth.uid()}" {
		t.Errorf("with auth in the search_path: %s", got)
	}
	if got := ask(t, conn, "select using_expression, check_expression from planvet.policy_report where policy_name = 'bare'"); got != "(owner = auth.uid())|" {
		t.Errorf("expressions: %s", got)
	}
}

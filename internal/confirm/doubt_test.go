package confirm_test

import (
	"strings"
	"testing"

	"github.com/planvet/planvet/rules"
)

// doubtful are tables on which a naive confirmation goes wrong.
const doubtful = `
create table seats (id bigint generated always as identity primary key, pos integer not null default 0, note text not null);
create type season as enum ('spring', 'summer', 'autumn', 'winter');
create table seasons (kind season primary key, note text not null);
create table orders (id bigint generated always as identity primary key, customer_id bigint not null,
  status text not null check (status in ('open', 'paid', 'void')), reference text not null);
create index on orders (customer_id) where status = 'open';
create table audit (id bigint generated always as identity primary key, what text);
create function note_it() returns trigger language plpgsql as $$ begin insert into audit (what) values (tg_op); return coalesce(new, old); end $$;
create trigger noted after insert or update or delete on orders for each row execute function note_it();
create table sealed (id bigint generated always as identity primary key, k bigint not null);
create function refuse() returns trigger language plpgsql as $$ begin raise exception 'sealed'; end $$;
create trigger refused before update on sealed for each row execute function refuse();
create table regions (id bigint not null, region int not null, primary key (id, region)) partition by list (region);
create table regions_1 partition of regions for values in (1);
create table regions_2 partition of regions for values in (2);
create table shops (id bigint not null, region_id bigint not null, region int not null,
  foreign key (region_id, region) references regions (id, region) on delete cascade) partition by hash (id);
create table shops_0 partition of shops for values with (modulus 2, remainder 0);
create table shops_1 partition of shops for values with (modulus 2, remainder 1);
create table lines (id bigint generated always as identity primary key, order_id bigint not null references orders on delete cascade, open boolean not null);
create index on lines (order_id) where open;
create role reader;
create function team() returns bigint language plpgsql stable as $$ begin
  if coalesce(current_setting('app.team', true), '') = '' then raise exception 'no team'; end if;
  return current_setting('app.team')::bigint; end $$;
create table raising (id bigint generated always as identity primary key, team_id bigint not null);
alter table raising enable row level security;
create policy own on raising for select to reader using (team_id = team());
create function signed_team() returns bigint language plpgsql stable as $$
declare parts text[] := string_to_array(current_setting('app.signed', true), ':');
begin
  if parts[2] is distinct from md5(parts[1] || 'key') then raise exception 'no signature'; end if;
  return parts[1]::bigint; end $$;
create table signed (id bigint generated always as identity primary key, team_id bigint not null);
alter table signed enable row level security;
create policy own on signed for select to reader using (team_id = signed_team());
create table coins (id bigint generated always as identity primary key, team_id bigint not null);
alter table coins enable row level security;
create policy toss on coins for select to reader using (random() < 0.5 and team_id > 0);
create table narrow (id bigint generated always as identity primary key, team_id bigint not null, owner uuid not null, note text not null);
create index on narrow (owner);
alter table narrow enable row level security;
create policy own on narrow for select to reader using (team_id = current_setting('app.team')::bigint);
create policy mine on narrow as restrictive for select to reader using (owner = current_setting('app.me')::uuid);
`

// TestDoubt: what a careless comparison would confirm or refute.
func TestDoubt(t *testing.T) {
	e := newEnv(t, doubtful)
	ask1 := func(sql, table, column string) *rules.Probe {
		return &rules.Probe{
			Kind: rules.ProbeStatement, SQL: sql, Schema: "public", Table: table, Alias: table, Columns: []string{column},
			Apply: []string{"create index on " + table + " (" + column + ")"},
		}
	}
	item := func(sql, set, table string) *rules.Probe {
		return &rules.Probe{Kind: rules.ProbePerItem, SQL: sql, SetSQL: set, ItemParams: []int{1}, Schema: "public", Table: table}
	}
	key := func(table, ref string, columns, refColumns []string) *rules.Probe {
		return &rules.Probe{
			Kind: rules.ProbeForeignKey, Schema: "public", Table: table, Columns: columns, RefSchema: "public", RefTable: ref, RefColumns: refColumns,
			Apply: []string{"create index on " + table + " (" + strings.Join(columns, ", ") + ")"},
		}
	}
	policy := func(table, name, apply string) *rules.Probe {
		return &rules.Probe{Kind: rules.ProbePolicy, Schema: "public", Table: table, Policy: name, Roles: []string{"reader"}, Command: "select", Apply: []string{apply}}
	}
	for _, c := range []struct {
		name   string
		probe  *rules.Probe
		want   rules.Status
		reason string
	}{
		{"few rows refute nothing", ask1("select * from seasons where note = $1", "seasons", "note"), rules.Inconclusive, "too few"},
		{"a partial index serves some values", ask1("select * from orders where customer_id = $1 and status = $2", "orders", "customer_id"), rules.Inconclusive, "for some values"},
		{"a partial index serves another value", ask1("select * from orders where customer_id = $1 and status = 'paid'", "orders", "customer_id"), rules.Confirmed, ""},
		{"an update beside a trigger that writes", ask1("update orders set reference = $2 where reference = $1", "orders", "reference"), rules.Confirmed, ""},
		{"a trigger that refuses", ask1("update sealed set k = k where k = $1", "sealed", "k"), rules.Inconclusive, "sealed"},
		{"a role that sees few rows", &rules.Probe{
			Kind: rules.ProbeStatement, Role: "reader", SQL: "select * from narrow where note = $1", Schema: "public", Table: "narrow", Alias: "narrow",
			Columns: []string{"note"}, Apply: []string{"create index on narrow (note)"},
		}, rules.Refuted, "owner"},
		{"a key of a partitioned table", key("shops", "regions", []string{"region_id", "region"}, []string{"id", "region"}), rules.Confirmed, ""},
		{"a key with a partial index", key("lines", "orders", []string{"order_id"}, []string{"id"}), rules.Confirmed, ""},
		{"a helper that raises without its setting", policy("raising", "own", "create index on raising (team_id)"), rules.Confirmed, ""},
		{"a helper that raises", policy("signed", "own", "create index on signed (team_id)"), rules.Inconclusive, "no signature"},
		{"a volatile call is not wrapped", policy("coins", "toss", "alter policy toss on coins using ((select random()) < 0.5 and team_id > 0)"), rules.Inconclusive, "other rows"},
		{"a restrictive policy has the path", policy("narrow", "own", "create index on narrow (team_id)"), rules.Refuted, "owner"},
		{
			"a write that counts what the loop wrote before", item("update seats set pos = (select max(pos) + 1 from seats) where id = $1",
				"update seats set pos = (select max(pos) + 1 from seats) where id = any($1);", "seats"), rules.Inconclusive, "other rows",
		},
		{"a write of the item alone", item("update seats set pos = pos + 1 where id = $1", "update seats set pos = pos + 1 where id = any($1)", "seats"), rules.Confirmed, ""},
		{"one row an item", item("select * from orders where customer_id = $1 limit 1", "select * from orders where customer_id = any($1)", "orders"), rules.Inconclusive, "rows"},
		{"an aggregate", item("select count(*) from orders where id = $1", "select count(*) from orders where id = any($1)", "orders"), rules.Inconclusive, "rows"},
		{"distinct rows of an item", item("select distinct status from orders where customer_id = $1", "select distinct status from orders where customer_id = any($1)", "orders"), rules.Inconclusive, "rows"},
		{"a volatile function", item("select id, random() from orders where id = $1", "select id, random() from orders where id = any($1)", "orders"), rules.Inconclusive, "other rows"},
		{"locked rows", item("select id from orders where id = $1 for update", "select id from orders where id = any($1) for update", "orders"), rules.Confirmed, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			before := written(t, e)
			v := ask(t, e, rules.Finding{Rule: "r", Probe: c.probe})
			if v.Status != c.want || !strings.Contains(v.Reason, c.reason) {
				t.Errorf("verdict is %+v\nbefore %+v\nafter %+v\nwant %s because %q", v, v.Before, v.After, c.want, c.reason)
			}
			if after := written(t, e); before != "" && after != before {
				t.Errorf("the confirmation left something behind: %s, before %s", after, before)
			}
		})
	}
}

// written sums up what the statements above would change; "" before rows are made.
func written(t *testing.T, e *env) string {
	t.Helper()
	rows, err := e.opts.Server.Query(t.Context(), `select concat_ws(' ', (select count(*) from audit), (select sum(pos) from seats), (select md5(string_agg(reference, ',' order by id)) from orders),
		(select count(*) from pg_index), (select count(*) from pg_policy)), (select count(*)::text from seats)`)
	if err != nil {
		t.Fatal(err)
	}
	if *rows[0][1] == "0" {
		return ""
	}
	return *rows[0][0]
}

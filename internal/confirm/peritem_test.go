package confirm_test

import (
	"strings"
	"testing"

	"github.com/planvet/planvet/rules"
)

const several = `
create table sheets (id bigint generated always as identity primary key, title text not null unique);
create type cell_kind as enum ('plain', 'formula');
create table cells (
  id bigint generated always as identity primary key, sheet bigint not null references sheets, name text not null, kind cell_kind not null,
  amount numeric(10, 2) not null check (amount >= 0), note text, token uuid not null default gen_random_uuid(), at timestamptz not null default now(),
  unique (sheet, name)
);
create table marks (cell bigint primary key references cells, color text not null);
create table counted (id bigint primary key, name text not null, rank bigint);
create function next_rank() returns bigint language sql volatile as 'select count(*) from counted';
create table watched (id bigint primary key, name text not null);
create function look() returns trigger language plpgsql as 'begin return null; end';
create trigger look after insert on watched for each statement execute function look();
create table tidy (id bigint primary key, name text not null, up text);
create function shout() returns trigger language plpgsql as 'begin new.up := upper(new.name); return new; end';
create trigger shout before insert on tidy for each row execute function shout();
`

// TestSeveralItems: statements of which several values vary with the element.
func TestSeveralItems(t *testing.T) {
	e := newEnv(t, several)
	for _, c := range []struct {
		name, table, sql, set string
		params                []int
		want                  rules.Status
		reason                string
	}{
		{
			"insert", "cells", "insert into cells (sheet, name, kind, amount) values ($1, $2, $3, $4)",
			"insert into cells (sheet, name, kind, amount) select u.sheet, u.name, u.kind, u.amount from unnest($1::bigint[], $2::text[], $3::cell_kind[], $4::numeric[]) as u (sheet, name, kind, amount)",
			[]int{1, 2, 3, 4}, rules.Confirmed, "",
		},
		{
			"insert with a value for all, of its own id", "cells", "insert into cells (sheet, name, kind, amount, token, at) values ($1, $2, 'plain', $3, gen_random_uuid(), now()) returning id",
			"insert into cells (sheet, name, kind, amount, token, at) select $1, u.name, 'plain', $3, gen_random_uuid(), now() from unnest($2::text[]) as u (name) returning id",
			[]int{2}, rules.Confirmed, "",
		},
		{
			"a set form that takes longer", "cells", "select name from cells where id = $1",
			"select name from cells, (select pg_sleep(0.3)) nap where id = any ($1::bigint[])",
			[]int{1}, rules.Inconclusive, "takes longer",
		},
		{
			"insert, values mixed up", "cells", "insert into cells (sheet, name, kind, amount, note) values (1, $1, 'plain', 1, $2)",
			"insert into cells (sheet, name, kind, amount, note) select 1, u.note, 'plain', 1, u.name from unnest($1::text[], $2::text[]) as u (name, note)",
			[]int{1, 2}, rules.Inconclusive, "",
		},
		{
			"upsert", "cells", "insert into cells (sheet, name, kind, amount) values ($1, $2, 'plain', $3) on conflict (sheet, name) do update set amount = excluded.amount + cells.amount",
			"insert into cells (sheet, name, kind, amount) select u.sheet, u.name, 'plain', u.amount from unnest($1::bigint[], $2::text[], $3::numeric[]) as u (sheet, name, amount) on conflict (sheet, name) do update set amount = excluded.amount + cells.amount",
			[]int{1, 2, 3}, rules.Confirmed, "",
		},
		{
			"upsert that sets the value again", "cells", "insert into cells (sheet, name, kind, amount) values ($1, $2, 'plain', $3) on conflict (sheet, name) do update set amount = $3 where cells.amount <> $3 + 1",
			"insert into cells (sheet, name, kind, amount) select u.sheet, u.name, 'plain', u.amount from unnest($1::bigint[], $2::text[], $3::numeric[]) as u (sheet, name, amount) on conflict (sheet, name) do update set amount = excluded.amount where cells.amount <> excluded.amount + 1",
			[]int{1, 2, 3}, rules.Confirmed, "",
		},
		{
			"insert, do nothing", "marks", "insert into marks (cell, color) values ($1, $2) on conflict do nothing",
			"insert into marks (cell, color) select u.cell, u.color from unnest($1::bigint[], $2::text[]) as u (cell, color) on conflict do nothing",
			[]int{1, 2}, rules.Confirmed, "",
		},
		{
			"upsert that touches one row twice", "cells", "insert into cells (sheet, name, kind, amount) values ($1, $2, 'plain', 1) on conflict (sheet, name) do update set amount = 2",
			"insert into cells (sheet, name, kind, amount) select u.sheet, u.name, 'plain', 1 from unnest($1::bigint[] || $1::bigint[], $2::text[] || $2::text[]) as u (sheet, name) on conflict (sheet, name) do update set amount = 2",
			[]int{1, 2}, rules.Inconclusive, "second time",
		},
		{
			"insert that counts what is there", "counted", "insert into counted (id, name, rank) values ($1, $2, next_rank())",
			"insert into counted (id, name, rank) select u.id, u.name, (select next_rank()) from unnest($1::bigint[], $2::text[]) as u (id, name)",
			[]int{1, 2}, rules.Inconclusive, "other rows",
		},
		{
			"insert beside a trigger of the statement", "watched", "insert into watched (id, name) values ($1, $2)",
			"insert into watched (id, name) select u.id, u.name from unnest($1::bigint[], $2::text[]) as u (id, name)",
			[]int{1, 2}, rules.Inconclusive, "trigger look",
		},
		{
			"insert beside a trigger of the row", "tidy", "insert into tidy (id, name) values ($1, $2)",
			"insert into tidy (id, name) select u.id, u.name from unnest($1::bigint[], $2::text[]) as u (id, name)",
			[]int{1, 2}, rules.Confirmed, "",
		},
		{
			"insert that cuts a value", "cells", "insert into cells (sheet, name, kind, amount) values ($1, $2, 'plain', $3)",
			"insert into cells (sheet, name, kind, amount) select u.sheet, u.name, 'plain', u.amount from unnest($1::bigint[], $2::character(1)[], $3::numeric[]) as u (sheet, name, amount)",
			[]int{1, 2, 3}, rules.Inconclusive, "",
		},
		{
			"select by two keys", "cells", "select amount from cells where sheet = $1 and name = $2 and kind = $3",
			"select amount from cells where (sheet, name) in (select * from unnest($1::bigint[], $2::text[])) and kind = $3",
			[]int{1, 2}, rules.Confirmed, "",
		},
		{
			"select by every pair", "cells", "select amount from cells where sheet = $1 and kind = $2",
			"select amount from cells where sheet = any ($1::bigint[]) and kind = any ($2::cell_kind[])",
			[]int{1, 2}, rules.Inconclusive, "rows",
		},
		{
			"delete by two keys", "counted", "delete from counted where id = $1 and name = $2",
			"delete from counted where (id, name) in (select * from unnest($1::bigint[], $2::text[]))",
			[]int{1, 2}, rules.Confirmed, "",
		},
		{
			"update that sets what varies", "cells", "update cells set amount = $2, at = now() where id = $1",
			"update cells set amount = u.item_amount, at = now() from unnest($1::bigint[], $2::numeric[]) as u (item_id, item_amount) where id = u.item_id",
			[]int{1, 2}, rules.Confirmed, "",
		},
		{
			"update that sets another's", "cells", "update cells set amount = $2 where id = $1",
			"update cells set amount = u.item_amount from unnest($1::bigint[], (select array_agg(x order by x) from unnest($2::numeric[]) x)) as u (item_id, item_amount) where id = u.item_id",
			[]int{1, 2}, rules.Inconclusive, "other rows",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			v := ask(t, e, rules.Finding{Rule: "r", Probe: &rules.Probe{
				Kind: rules.ProbePerItem, SQL: c.sql, SetSQL: c.set, ItemParams: c.params, Schema: "public", Table: c.table,
			}})
			if v.Status != c.want || !strings.Contains(v.Reason, c.reason) {
				t.Errorf("verdict is %+v\nbefore %+v\nafter %+v\nwant %s because %q", v, v.Before, v.After, c.want, c.reason)
			}
		})
	}
}

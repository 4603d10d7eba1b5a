package pgast

import "testing"

// Every shape of expression and statement survives Format.
var formatCases = []string{
	`select 1`,
	`select a, b.c, s.t.c, *, t.* from t`,
	`select -1, - a, +1, -1.5, (-1)::int, - 1::int, 2 - -1, @ x, a @> b, a->'x'->>'y', a #>> '{a,b}'`,
	`select (a + b) * c - d / (e % f), a || b || c, (a || b)::text, a::text || b, not a, not (a and b), a and (b or c) and not d`,
	`select a is null, a is not null, (a + 1) is null, (a = b) is true, a is not unknown, (a is null) = b, not (a is null)`,
	`select a is distinct from b, a is not distinct from b + 1, nullif(a, b), coalesce(a, b, 1), greatest(a, b), least(1, 2)`,
	`select a in (1, 2, 3), a not in ('x'), (a, b) in ((1, 2), (3, 4)), a in (select 1), a not in (select x from t), (a, b) = (select 1, 2)`,
	`select a = any($1), a <> all(array[1, 2]), a = any(select x from t), a > all(select x from t), a = any((select arr from t)::int[]), a like any(array['x']), a = any((select arr))`,
	`select a like 'x%', a not ilike b || '%', a similar to 'x', a not similar to 'y' escape 'z', a like 'x' escape '\', a ~ 'x', a !~* 'y'`,
	`select a between 1 and 2 + 3, a not between b and c, a between symmetric 1 and 2, (a between 1 and 2) and b`,
	`select exists (select 1 from t where x = y), not exists (select), array(select 1), (select max(a) from t), (select (select 1))`,
	`select count(*), count(distinct a), sum(a order by b desc nulls last), array_agg(a) filter (where a > 1), f(variadic a), f(x => 1, y := 2), s.f(1)`,
	`select percentile_cont(0.5) within group (order by a desc), rank() over w, sum(a) over (partition by b order by c rows between 1 preceding and current row exclude ties), lag(a, 1) over (w rows unbounded preceding) from t window w as (partition by x), v as (w order by y)`,
	`select sum(a) over (order by b range between unbounded preceding and '1 day'::interval following), sum(a) over (groups 2 preceding), sum(a) over ()`,
	`select current_user, current_timestamp, current_timestamp(3), localtime, current_date, user, current_schema, session_user, current_catalog, current_role, localtimestamp(2), current_time(1)`,
	`select case when a then 1 when b then 2 end, case x when 1 then 'a' else 'b' end, case when a then b end + 1`,
	`select a::text, cast(a as numeric(10,2)), a::varchar(20), a::int[], a::int[][], a::timestamptz, a::timestamp(3) with time zone, a::time with time zone, a::interval, a::interval day to second(3), interval '1' year, a::char(3), a::char, a::"char", a::bit(3), a::bit varying(4), a::s.mytype, a::float(10), date '2020-01-01', a::double precision[3], a::uuid::text, (a + b)::int, (a = b)::text, a::bpchar, a::json`,
	`select array[1, 2], array[[1, 2], [3, 4]], array[]::int[], row(1), row(1, 2), (1, 2), row(), a[1], a[1:2], a[:2], a[1:], (a).b, (a).*, (f(x)).b, ($1).b, $1[1], (array[1, 2])[1], (t.a).b.c, (a.b.c)[1].d, (row(1, 2)).f1, (select a)[1]`,
	`select a collate "C", (a || b) collate "de_DE" < c, a collate pg_catalog."default"`,
	`select b'101', x'1F', 'it''s', E'a\nb\\', U&'d\0061t', $$dollar$$, null, true, false, 1e10, 12345678901234567890, 0x1f, ''`,
	`select "Mixed", "select", "with space", "a""b", a."Order", "left", left(a, 1), "coalesce"(a), "user"`,
	`select extract(year from a), a at time zone 'utc', position('a' in b), substring(a from 1 for 2), trim(both 'x' from a), overlay(a placing b from 1), (a, b) overlaps (c, d), a is normalized, collation for (a)`,
	`select xmlelement(name foo, xmlattributes(a as b), c), xmlforest(a, b), json_object('a': b), json_array(1, 2), a is json object, json_arrayagg(a), grouping(a), xmlparse(document a), json_object('a': 1 absent on null)`,
	`select a operator(pg_catalog.+) b, operator(pg_catalog.-) a, a operator(s.=) any (c)`,
	`select distinct a from t`, `select distinct on (a, b) a from t order by a, b desc`,
	`select from t`, `select a as "A b", b as select from t as "T"`,
	`select a from t, only u, s.v as x, w y(a, b) where a = 1 group by a, b having count(*) > 1 order by 1, 2 desc nulls last, 3 nulls first, b using > limit 10 offset 5`,
	`select a from t group by distinct rollup(a, b), cube(a, (b, c)), grouping sets((a), (), rollup(b))`,
	`select * from a join b on a.x = b.x left join c using (x, y) right join d on true full join e on e.x = d.x cross join f natural join g natural left join h`,
	`select * from a join (b join c on b.x = c.x) on a.x = b.x, (d join e on true) as j, (f cross join g) as k(a, b), a join b using (x) as u`,
	`select * from (select 1) x, lateral (select a.b) as y(z), (values (1, 'a'), (2, 'b')) as v(a, b), f(1), f(1) with ordinality as g(a, b), rows from (f(1), g(2)) as h, lateral f(t.x) as q, json_to_recordset(a) as r(a int, b text[]), f(1) as (a int), current_date as cd`,
	`select * from t tablesample bernoulli(10) repeatable (5), u as x tablesample system (1.5)`,
	`select * from xmltable('/a' passing x columns a int path 'a', b for ordinality) as t`,
	`select 1 union select 2 union all select 3`, `select 1 union (select 2 except select 3)`, `(select 1 limit 1) union all (select 2 order by 1) intersect select 3 order by 1 limit 2`,
	`values (1, 2), (default, 'x')`, `table t`, `select * from t order by 1 fetch first 3 rows with ties`, `select a from t order by a fetch first (1 + 2) rows with ties`, `select 1 limit all`, `select 1 limit $1 offset $2`,
	`with a as (select 1), b(x, y) as materialized (select 2, 3), c as not materialized (insert into t values (1) returning *) select * from a, b, c`,
	`with recursive r as (select 1 union all select n + 1 from r) search depth first by a, b set ord cycle a set c to true default false using p select * from r`,
	`select * from t for update of a, b skip locked for share nowait for no key update for key share`,
	`with x as (select 1) select * from x union select 2`, `select 1 union (with x as (select 1) select * from x)`,
	`select a into b from t`,
	`insert into t default values`, `insert into s.t as x (a, "B") values (1, default), ($1, f(2)) returning id, x.*`,
	`insert into t (a) overriding system value select 1 from u on conflict do nothing`,
	`insert into t (a) values (1) on conflict (a, lower(b) collate "C" text_pattern_ops, (c + 1)) where d do update set a = excluded.a, (b, c) = (1, 2), (d, e) = (select 1, 2), arr[1] = 2, comp.f = 3 where t.x > 1 returning a`,
	`insert into t values (1) on conflict on constraint k do update set a = 1`,
	`with n as (select 1) insert into t select * from n`,
	`update t set a = 1, b = default where c = $1 returning *`, `update only s.t as x set a = u.a from u join v on true where x.id = u.id`,
	`update t set (a, b) = (select 1, 2), (c) = row(3), (d, e) = (select 4, 5), arr[1:2] = '{}'`,
	`delete from t`, `delete from only t as x using u, v where x.a = u.a returning x.a`,
	`merge into t using s on t.a = s.a when matched and s.d then delete when matched then update set a = 1 when not matched then insert (a, b) values (1, default) when not matched and true then do nothing when not matched then insert default values`,
	`delete from t where current of c`, `select f('a', 1) 'x', a::geometry(point, 4326)`,
}

func TestFormatRoundTrip(t *testing.T) {
	for _, sql := range formatCases {
		s, err := Parse(sql)
		if err != nil {
			t.Errorf("%s: %v", sql, err)
			continue
		}
		if text, diff := roundTrip(s); diff != "" {
			t.Errorf("%s\n%s\n%s", sql, text, diff)
		}
	}
}

func TestSameTreeSeesDifferences(t *testing.T) {
	for _, c := range [][2]string{{"select a", "select b"}, {"select 1", "select '1'"}, {"select a from t", "select a from only t"}} {
		if sameTree(mustParse(t, c[0]), mustParse(t, c[1])) == "" {
			t.Errorf("%s equals %s", c[0], c[1])
		}
	}
}

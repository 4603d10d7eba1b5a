package explain

import "testing"

// healthy are statements whose plans are as they should be: nobody could make them
// better, so that a finding on them is a false alarm.
var healthy = []struct{ name, settings, sql string }{
	{"primary key", "", "select * from big where id = 777"},
	{"several keys", "", "select * from big where id in (1, 2, 3, 50000)"},
	{"range of a key", "", "select * from big where id between 2000 and 2500"},
	{"composite index", "", "select * from big where tenant = 7 and at > '2026-02-01'"},
	{"composite index, first key", "", "select * from big where tenant = 7"},
	{"bitmap of a tenth", "", "select sum(kind2) from big where tenant < 100"},
	{"page by index", "", "select * from big order by id desc limit 20"},
	{"next page by key", "", "select * from big where id > 50000 order by id limit 20"},
	{"last of a tenant", "", "select * from big where tenant = 7 order by at desc limit 10"},
	{"top of all, no index", "", "select * from big order by note, email limit 10"},
	{"small table", "", "select * from tenants"},
	{"small table, filter", "", "select * from tenants where name = 'tenant 5'"},
	{"count of all", "", "select count(*) from big"},
	{"sum of all", "", "select sum(kind2), max(note) from big"},
	{"groups of all", "", "select kind2, count(*) from big group by kind2"},
	{"groups by a month", "", "select date_trunc('month', at), count(*) from big group by 1"},
	{"most of a table", "", "select sum(id) from big where kind2 <> 3 and note <> 'y'"},
	{"half of a table", "", "select sum(id) from big where kind2 < 25"},
	{"hash join of all", "", "select t.name, count(*) from big b join tenants t on t.id = b.tenant group by 1"},
	{"join of a few", "", "select * from big b join tenants t on t.id = b.tenant where b.id between 100 and 200"},
	{"children of one", "", "select * from parent2 p join keyed_child c on c.parent_id = p.id where p.id = 5"},
	{"exists", "", "select count(*) from parent2 p where exists (select from keyed_child c where c.parent_id = p.id)"},
	{"not exists", "", "select count(*) from parent2 p where not exists (select from keyed_child c where c.parent_id = p.id)"},
	{"lateral of a page", "", "select * from (select * from tenants order by id limit 20) t, lateral (select * from big b where b.tenant = t.id order by at desc limit 3) x"},
	{"subquery of a page", "", "select id, (select max(at) from big b where b.tenant = t.id) from tenants t order by id limit 20"},
	{"initplan", "", "select * from big where tenant = (select id from tenants where id = 7)"},
	{"cte", "", "with x as materialized (select tenant, count(*) n from big group by 1) select * from x where n > 99"},
	{"window", "", "select id, row_number() over (order by at) from big where tenant = 7"},
	{"union all", "", "select id from tenants union all select id from parent"},
	{"partition pruned", "", "select sum(v) from journal where at >= '2026-03-03' and at < '2026-04-04'"},
	{"all partitions", "", "select sum(v) from journal"},
	{"partitions, no key", "", "select count(*) from journal where v % 2 = 0"},
	{"limit in plan order", "", "select * from big limit 100"},
	{"first that matches", "", "select * from big where kind2 = 3 limit 5"},
	{"insert one", "", "insert into keyed_child values (1000000, 5)"},
	{"insert many", "", "insert into keyed_child select i, 5 from generate_series(100000, 120000) i"},
	{"update by key", "", "update big set kind2 = 7 where id = 5"},
	{"update a tenant", "", "update parent2 set name = name || '!' where id < 500"},
	{"delete by key", "", "delete from keyed_child where id = 7"},
	{"delete with an indexed child", "", "delete from parent2 where id > 1500"},
	{"in memory sort", "set local work_mem = '64MB';", "select count(*) from (select * from big order by note, email offset 0) x"},
	{"parallel", parallel, "select count(*) from big where kind2 <> 4"},
	{"parallel join", parallel, "select count(*) from big b join tenants t on t.id = b.tenant"},
	{"production's settings", "set local random_page_cost = 1.1; set local effective_cache_size = '10GB'; set local work_mem = '16MB';", "select * from big where tenant = 7"},
	{"nothing", "", "select 1"},
	{"no rows", "", "select * from big where id = -1"},
	{"series", "", "select count(*) from generate_series(1, 20000)"},
	{"values", "", "select * from (values (1), (2)) v (id) join big using (id)"},
}

// healthyPlans asserts zero findings, of plans that were run and that were not.
func healthyPlans(b *bench) {
	for _, c := range healthy {
		b.Run(c.name, func(t *testing.T) {
			root, findings, _, _ := b.in(t).diagnosed(c.sql, c.settings, true)
			if len(findings) > 0 {
				t.Errorf("%s\n%s\nfindings: %s", c.sql, drawing(root), said(findings))
			}
			if root, findings, _, _ = b.in(t).diagnosed(c.sql, c.settings, false); len(findings) > 0 {
				t.Errorf("planned only: %s\n%s\nfindings: %s", c.sql, drawing(root), said(findings))
			}
		})
	}
}

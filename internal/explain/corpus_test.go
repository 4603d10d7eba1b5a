package explain

import (
	"context"
	"slices"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/planvet/planvet/catalog"
	"github.com/planvet/planvet/internal/plan"
	"github.com/planvet/planvet/internal/shadow/shadowtest"
)

// bench is a database for plans of every kind, with its connection.
type bench struct {
	*testing.T
	conn  *pgx.Conn
	major int
	// role is whom statements run as; "" is the superuser.
	role string
	// untimed plans have no times in their nodes.
	untimed bool
	cat     *catalog.Catalog
}

func newBench(t *testing.T, setup ...string) *bench {
	t.Helper()
	// VACUUM calls a page all-visible only when the commit that wrote it was flushed.
	setup = append([]string{"set synchronous_commit = on"}, setup...)
	return &bench{T: t, conn: shadowtest.Connect(t, setup...), major: shadowtest.Server(t).Major()}
}

func (b *bench) exec(sql string) {
	b.Helper()
	if _, err := b.conn.Exec(context.Background(), sql); err != nil {
		b.Fatalf("%v\n%s", err, sql)
	}
}

// explain plans a statement with all options, in a transaction that is rolled back
// and starts with settings; one with analyze runs it.
func (b *bench) explain(sql, settings string, analyze bool) *plan.Plan {
	b.Helper()
	options := "verbose, settings, summary, format json"
	if analyze {
		options += ", analyze, buffers, wal"
		if b.untimed {
			options += ", timing off"
		}
	}
	b.exec("begin;" + settings)
	defer b.exec("rollback")
	if b.role != "" {
		b.exec("set local role " + b.role)
	}
	var text []byte
	if err := b.conn.QueryRow(context.Background(), "explain ("+options+") "+sql, pgx.QueryExecModeSimpleProtocol).Scan(&text); err != nil {
		b.Fatalf("%v\n%s", err, sql)
	}
	p, err := plan.Parse(text)
	if err != nil {
		b.Fatal(err)
	}
	return p
}

// shop are tables for statements of every kind: 20,000 orders of 500 customers.
const shop = `
	create table customers (id int primary key, name text not null, region int not null);
	create table orders (id int primary key, customer_id int not null, at int not null, note text, amount int);
	create table lines (order_id int not null, n int not null, price int, primary key (order_id, n));
	create table parts (id int, v int) partition by range (id);
	create table parts_1 partition of parts for values from (0) to (10000);
	create table parts_2 partition of parts for values from (10000) to (20000);
	create table events (id serial primary key, data jsonb, tags int[], at timestamptz);
	insert into customers select i, 'c' || i, i % 10 from generate_series(1, 500) i;
	insert into orders select i, i % 500 + 1, i % 1000, repeat('x', 80), i % 97 from generate_series(1, 20000) i;
	insert into lines select i, n, i % 50 from generate_series(1, 20000) i, generate_series(1, 2) n;
	insert into parts select i, i % 7 from generate_series(0, 19999) i;
	insert into events (data, tags, at) select jsonb_build_object('k', i % 100), array[i % 10, i % 20], now() - i * interval '1 minute' from generate_series(1, 5000) i;
	create index orders_customer on orders (customer_id);
	create index orders_at on orders (at);
	create index events_data on events using gin (data);
	create index events_at on events using brin (at);
	create unique index customers_name on customers (name);`

// parallel makes workers join a scan of any size.
const parallel = `set local max_parallel_workers_per_gather = 2; set local parallel_setup_cost = 0;
	set local parallel_tuple_cost = 0; set local min_parallel_table_scan_size = 0; set local min_parallel_index_scan_size = 0;`

type corpusStatement struct{ name, settings, sql string }

func statement(name string) corpusStatement {
	i := slices.IndexFunc(statements, func(s corpusStatement) bool { return s.name == name })
	return statements[i]
}

// statements are of every kind of node that a plain server has; settings make the
// planner choose it.
var statements = []corpusStatement{
	{"seq scan", "", "select * from orders where amount = 5"},
	{"index scan", "", "select * from orders where id = 77"},
	{"index only scan", "", "select id from orders where id < 100"},
	{"index scan backward", "", "select * from orders order by id desc limit 10"},
	{"bitmap", "set local enable_indexscan = off;", "select * from orders where at < 20"},
	{"bitmap and", "set local enable_indexscan = off; set local random_page_cost = 40;", "select * from orders where at < 300 and customer_id < 100"},
	{"bitmap or", "set local enable_indexscan = off;", "select * from orders where at = 5 or customer_id = 7"},
	{"brin", "set local enable_seqscan = off;", "select * from events where at > now() - interval '1 hour'"},
	{"gin", "", `select * from events where data @> '{"k": 5}'`},
	{"tid scan", "", "select * from orders where ctid = '(0,1)'"},
	{"tid range", "", "select * from orders where ctid < '(3,1)'"},
	{"sample", "", "select * from orders tablesample system (10)"},
	{"nested loop", "set local enable_hashjoin = off; set local enable_mergejoin = off;", "select * from customers c join orders o on o.customer_id = c.id where c.region = 3"},
	{"nested loop materialize", "set local enable_hashjoin = off; set local enable_mergejoin = off; set local enable_indexscan = off; set local enable_bitmapscan = off;",
		"select count(*) from customers a join customers b on a.region < b.region"},
	{"hash join", "", "select * from customers c join orders o on o.customer_id = c.id"},
	{"hash left join", "", "select * from orders o left join customers c on o.customer_id = c.id and c.region = 1"},
	{"merge join", "set local enable_hashjoin = off; set local enable_nestloop = off;", "select * from orders o join lines l on l.order_id = o.id"},
	{"semi join", "", "select * from customers c where exists (select from orders o where o.customer_id = c.id and o.amount = 3)"},
	{"anti join", "", "select * from customers c where not exists (select from orders o where o.customer_id = c.id and o.amount = 3)"},
	{"full join", "", "select count(*) from orders o full join lines l on l.order_id = o.id"},
	{"sort", "", "select * from orders order by note, amount"},
	{"sort to disk", "set local work_mem = '64kB';", "select * from orders order by note, amount"},
	{"top n", "", "select * from orders order by amount limit 5"},
	{"incremental sort", "", "select * from orders order by id, amount limit 500"},
	{"hash batches", "set local work_mem = '64kB';", "select count(*) from orders o join lines l on l.order_id = o.id"},
	{"hash aggregate", "", "select customer_id, count(*) from orders group by 1"},
	{"hash aggregate to disk", "set local work_mem = '64kB'; set local enable_sort = off;", "select id, count(*) from orders group by 1"},
	{"group aggregate", "set local enable_hashagg = off;", "select customer_id, count(*) from orders group by 1"},
	{"grouping sets", "", "select customer_id, at, count(*) from orders group by grouping sets ((customer_id), (at), ())"},
	{"window", "", "select id, row_number() over (partition by customer_id order by at) from orders"},
	{"distinct on", "", "select distinct on (customer_id) * from orders order by customer_id, at"},
	{"setop", "", "select id from orders except select order_id from lines where n = 1"},
	{"union", "", "select id from orders union select id from customers"},
	{"append", "", "select * from parts where v = 3"},
	{"merge append", "create index on parts (id);", "select * from parts order by id limit 5"},
	{"pruned at start", "", "select * from parts where id = (select 5)"},
	{"one-time filter", "", "select * from orders where false"},
	{"one-time subquery", "", "select * from orders where (select count(*) from customers) > 1000"},
	{"initplan", "", "select * from orders where amount = (select max(region) from customers)"},
	{"initplan under sort", "", "select * from orders where amount < (select avg(amount) from orders) order by note limit 10"},
	{"initplan in output", "", "select id, (select count(*) from lines) from orders where id < 5000 order by at"},
	{"initplan twice", "", "select * from orders o join lines l on l.order_id = o.id where o.amount > (select avg(amount) from orders) and l.price > (select avg(price) from lines)"},
	{"initplan nested", "", "select * from orders where amount = (select max(price) from lines where order_id < (select avg(id) from orders))"},
	{"initplan in parallel", parallel, "select count(*) from orders where amount < (select avg(price) from lines)"},
	{"exists initplan", "", "select * from customers where exists (select from orders where amount = 1000)"},
	{"subplan", "", "select c.id, (select count(*) from orders o where o.customer_id = c.id) from customers c"},
	{"subplan in filter", "", "select * from customers c where (select max(amount) from orders o where o.customer_id = c.id) > 95"},
	{"hashed subplan", "", "select * from orders where id not in (select order_id from lines where price = 7)"},
	{"subplan with initplan", "", "select c.id, (select count(*) from orders o where o.customer_id = c.id and o.amount > (select avg(price) from lines)) from customers c"},
	{"cte", "", "with w as materialized (select customer_id, sum(amount) n from orders group by 1) select * from w where n > 3"},
	{"cte read twice", "", "with w as materialized (select * from orders where amount < 50) select * from w a join w b on a.id = b.customer_id"},
	{"cte read in part", "", "with w as materialized (select * from orders) select * from w limit 10"},
	{"cte in cte", "", "with a as materialized (select * from orders), b as materialized (select * from a where amount = 3) select count(*) from b, (select count(*) from a) x"},
	{"cte in initplan", "", "with a as materialized (select * from orders) select * from a where amount = (select min(amount) from a)"},
	{"cte of one name twice", "", "with w as materialized (select * from orders) select * from w, (with w as materialized (select * from lines) select count(*) from w) x where w.id < 5"},
	{"cte never read", "", "with w as materialized (select * from orders) select * from customers c where c.region = 99 and exists (select from w where w.id = c.id)"},
	{"cte that writes", "", "with w as (insert into lines select id, 9, 1 from customers returning order_id) select count(*) from w"},
	{"cte that writes, unread", "", "with w as (update orders set amount = 1 where id < 1000 returning id) select 1"},
	{"cte that writes, read in part", "", "with w as (update orders set amount = 1 where id < 1000 returning id) select * from w limit 3"},
	{"recursive", "", "with recursive r as (select 1 n union all select n + 1 from r where n < 5000) select sum(n) from r"},
	{"function scan", "", "select * from generate_series(1, 20000) g"},
	{"values", "", "select * from (values (1), (2), (3)) v (a) join orders o on o.id = v.a"},
	{"project set", "", "select generate_series(1, 10), id from customers"},
	{"memoize", "set local enable_hashjoin = off; set local enable_mergejoin = off;", "select * from orders o join customers c on c.id = o.customer_id"},
	{"insert", "", "insert into orders select i, 1, 1, '', 1 from generate_series(30001, 31000) i"},
	{"upsert", "", "insert into customers select i, 'd' || i, 1 from generate_series(400, 600) i on conflict (id) do update set region = 3"},
	{"update", "", "update orders set amount = 2 where customer_id = 5"},
	{"update of partitions", "", "update parts set v = 2 where id between 9000 and 11000"},
	{"update multiexpr", "", "update customers c set (name, region) = (select c.id::text || max(o.note), count(*) from orders o where o.customer_id = c.id) where c.id < 20"},
	{"delete", "", "delete from lines where order_id < 500"},
	{"lock rows", "", "select * from orders where customer_id = 3 for update"},
	{"parallel seq scan", parallel, "select count(*) from orders where amount = 5"},
	{"parallel hash join", parallel, "select count(*) from orders o join lines l on l.order_id = o.id"},
	{"parallel index scan", parallel + "set local enable_seqscan = off; set local enable_bitmapscan = off;", "select count(note) from orders where id < 9000"},
	{"parallel append", parallel, "select count(*) from parts where v = 3"},
	{"gather merge", parallel + "set local work_mem = '64kB';", "select * from orders order by amount, note"},
	{"parallel with subplan", parallel, "select id from customers c where (select count(*) from orders o where o.customer_id = c.id) > 10"},
	{"parallel limit", parallel, "select * from orders where amount > 5 limit 5"},
	{"limit 0", "", "select * from orders limit 0"},
	{"cast", "", "select * from orders where id::text = '7'"},
	{"jit", "set local jit = on; set local jit_above_cost = 0;", "select count(*) from orders where amount = 5"},
	{"lateral", "", "select * from customers c, lateral (select * from orders o where o.customer_id = c.id order by at desc limit 1) x"},
}

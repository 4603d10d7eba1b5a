package explain

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/planvet/planvet/catalog"
	"github.com/planvet/planvet/internal/live"
	"github.com/planvet/planvet/internal/plan"
)

// in is the bench in a subtest.
func (b *bench) in(t *testing.T) *bench {
	c := *b
	c.T = t
	return &c
}

// heuristicOf is the finding of a heuristic; nil for none.
func heuristicOf(findings []Finding, name string) *Finding {
	for i := range findings {
		if findings[i].Heuristic == name {
			return &findings[i]
		}
	}
	return nil
}

// Query makes a bench the server that facts are asked of.
func (b *bench) Query(ctx context.Context, sql string, args ...*string) ([][]*string, error) {
	var params []any
	for _, a := range args {
		params = append(params, a)
	}
	rows, err := b.conn.Query(ctx, sql, params...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out [][]*string
	for rows.Next() {
		r := make([]*string, len(rows.FieldDescriptions()))
		dest := make([]any, len(r))
		for i := range r {
			dest[i] = &r[i]
		}
		if err := rows.Scan(dest...); err != nil {
			return nil, err
		}
		out = append(out, r)
	}
	return out, rows.Err()
}

// schema is the database's, read once.
func (b *bench) schema() *catalog.Catalog {
	b.Helper()
	if b.cat == nil {
		var err error
		if b.cat, err = live.LoadCatalog(context.Background(), b.conn); err != nil {
			b.Fatal(err)
		}
	}
	return b.cat
}

// diagnosed runs a statement and looks for its faults.
func (b *bench) diagnosed(sql, settings string, analyze bool) (*Step, []Finding, []IndexUse, *plan.Plan) {
	b.Helper()
	p := b.explain(sql, settings, analyze)
	// Fast machines are no reason to find nothing; TestShortQueries has the bound.
	p.ExecutionMS = max(p.ExecutionMS, leastMS)
	f, err := loadFacts(context.Background(), b, b.major, p)
	if err != nil {
		b.Fatal(err)
	}
	f.SQL, f.Role, f.Catalog = sql, b.role, b.schema()
	root := tree(p)
	findings, uses := diagnose(p, root, f)
	return root, findings, uses, p
}

// faults are tables that are large enough to be slow on.
const faults = `
	create table big (id int primary key, tenant int not null, kind int not null, kind2 int not null, code varchar(20) not null,
		email text not null, at timestamp not null, note text not null);
	insert into big select i, i % 1000, i % 50, i % 50, 'c' || i, 'U' || i || '@x.org', timestamp '2026-01-01' + i * interval '1 minute', repeat('x', 60)
		from generate_series(1, 100000) i;
	create index big_tenant_at on big (tenant, at);
	create index big_kind on big (kind);
	create table tenants (id int primary key, name text not null);
	insert into tenants select i, 'tenant ' || i from generate_series(0, 999) i;
	create table parent (id int primary key, name text);
	create table parent2 (id int primary key, name text);
	create table plain_child (id int primary key, parent_id int references parent);
	create table keyed_child (id int primary key, parent_id int references parent2);
	insert into parent select i, 'p' || i from generate_series(1, 2000) i;
	insert into parent2 select * from parent;
	insert into plain_child select i, i % 1000 + 1 from generate_series(1, 30000) i;
	insert into keyed_child select i, i % 1000 + 1 from generate_series(1, 30000) i;
	create index on keyed_child (parent_id);
	create table journal (at timestamp not null, v int) partition by range (at);
	create table skewed (id int, n int) with (fillfactor = 10);
	insert into skewed select i, case when i between 50 and 60 then 60000 else 0 end from generate_series(1, 5000) i;
	create table fan (a int, b int, c int, d int, e int, f int, g int, h int);
	do $$ begin
		for i in 1..12 loop
			execute format('create table journal_%s partition of journal for values from (%L) to (%L)', i, timestamp '2026-01-01' + (i - 1) * interval '1 month', timestamp '2026-01-01' + i * interval '1 month');
		end loop;
		for i in 1..24 loop
			execute format('create index on fan ((a + %s), (h * %s))', i, i);
		end loop;
	end $$;
	insert into journal select timestamp '2026-01-01' + i * interval '10 minutes', i from generate_series(1, 50000) i;`

// unvacuumed: fresh was never vacuumed, so that no page is known to be visible to all.
const unvacuumed = `create table fresh (id int primary key, v int); insert into fresh select i, i from generate_series(1, 50000) i; analyze fresh`

func newFaults(t *testing.T) *bench {
	return newBench(t, faults, "vacuum analyze", unvacuumed)
}

const (
	noHash       = "set local enable_hashjoin = off; set local enable_mergejoin = off;"
	noMemo       = "set local enable_memoize = off;"
	small        = "set local work_mem = '64kB';"
	large        = "set local work_mem = '256MB';"
	parallelNone = parallel + "set local max_parallel_workers = 0;"
)

// faultCases have for each heuristic statements that have its fault, and one like
// them that has not.
var faultCases = []struct {
	heuristic, name, settings, sql string
	fires                          bool
}{
	{"row-misestimate", "correlated columns", "", "select * from big where kind = 3 and kind2 = 3", true},
	{"row-misestimate", "one column", "", "select * from big where kind = 3", false},
	{"row-misestimate", "stopped by a limit", "", "select * from big where kind < 40 order by id limit 10", false},
	{"row-misestimate", "an expression", "", "select count(*) from big where id % 10 = 3", true},
	{"misestimate-drives-join", "", "", "select * from big b join fresh f on f.id = b.id where kind = 3 and kind2 = 3", true},
	{"misestimate-drives-join", "estimated well", "", "select * from big b join fresh f on f.id = b.id where kind = 3", false},
	{"selective-seq-scan", "", "", "select * from big where email = 'U77@x.org'", true},
	{"selective-seq-scan", "varchar", "", "select * from big where code = 'c77'", true},
	{"selective-seq-scan", "partitions", "", "select * from journal where v = 77", true},
	{"selective-seq-scan", "most rows", "", "select * from big where kind2 <> 3", false},
	{"selective-seq-scan", "half the rows", "", "select count(*) from big where kind2 < 22", false},
	{"selective-seq-scan", "all rows", "", "select count(note) from big", false},
	{"selective-seq-scan", "random", "", "select count(*) from big where random() < 0.001", false},
	{"selective-seq-scan", "small table", "", "select * from tenants, generate_series(1, 30000) where name = 'tenant 4'", false},
	{"unbounded-result", "", "", "select * from big", true},
	{"unbounded-result", "limit", "", "select * from big limit 20000", false},
	{"unbounded-result", "aggregate", "", "select sum(kind2) from big", false},
	{"index-filter-residue", "", "", "select * from big where tenant between 1 and 60 and email like '%55@x.org%'", true},
	{"index-filter-residue", "order by limit", "set local enable_sort = off;", "select * from big where email = 'U90000@x.org' order by id limit 1", true},
	{"index-filter-residue", "rows pass", "", "select * from big where tenant between 1 and 60 and email like '%@x.org%'", false},
	{"index-filter-residue", "lookups of one row", noHash, "select * from keyed_child c join tenants t on t.id = c.parent_id and t.name like '%5'", false},
	{"index-leading-key-skipped", "", "set local enable_seqscan = off;", "select * from big where at = '2026-02-02'", true},
	{"index-leading-key-skipped", "both keys", "", "select * from big where tenant in (7, 8, 9) and at > '2026-01-02'", false},
	{"lossy-bitmap", "", small + "set local enable_seqscan = off; set local enable_indexscan = off;", "select * from big where kind = 3", true},
	{"lossy-bitmap", "enough memory", "set local enable_indexscan = off;", "select * from big where kind = 3", false},
	{"bitmap-and", "", "set local enable_indexscan = off; set local enable_seqscan = off; set local random_page_cost = 20;", "select * from big where kind = 3 and tenant between 3 and 53", true},
	{"bitmap-and", "one index", "", "select * from big where kind = 3 and at < '2026-01-20'", false},
	{"heap-fetches", "", "", "select count(*) from fresh where id < 20000", true},
	{"heap-fetches", "vacuumed", "", "select count(*) from big where tenant < 200", false},
	{"partitions-not-pruned", "function", "", "select * from journal where date_trunc('day', at) = '2026-03-03'", true},
	{"partitions-not-pruned", "cast", "", "select * from journal where at::date = '2026-03-03'", true},
	{"partitions-not-pruned", "pruned", "", "select count(*) from journal where at >= '2026-03-03' and at < '2026-04-04'", false},
	{"partitions-not-pruned", "no condition on the key", "", "select count(*) from journal where v < 4000", false},
	{"wrapped-column", "function", "", "select * from big where lower(email) = 'u77@x.org'", true},
	{"wrapped-column", "cast", "", "select * from big where kind2::text || '' = 'x'", true},
	{"wrapped-column", "date", "", "select count(*) from big where at::date = '2026-01-20'", true},
	{"wrapped-column", "numeric", "", "select * from big where kind2 = 7.5", true},
	{"wrapped-column", "varchar", "", "select * from big where code = 'c77'", false},
	{"or-across-columns", "", "", "select * from big where email = 'U77@x.org' or code = 'c78'", true},
	{"or-across-columns", "one column", "", "select * from big where email = 'U77@x.org' or email = 'U78@x.org'", false},
	{"nested-loop-seq-scan", "", noHash + "set local enable_material = off;", "select count(*) from tenants t join plain_child c on c.parent_id = t.id + 1 where t.id < 120", true},
	{"nested-loop-seq-scan", "materialised", noHash, "select count(*) from tenants t join plain_child c on c.parent_id = t.id + 1 where t.id < 30", true},
	{"nested-loop-seq-scan", "index", noHash, "select count(*) from tenants t join keyed_child c on c.parent_id = t.id where t.id < 200", false},
	{"many-nested-loops", "", noHash + noMemo, "select count(name) from big b left join parent2 p on p.id = b.tenant + 1", true},
	{"many-nested-loops", "hash join", "", "select count(name) from big b left join parent2 p on p.id = b.tenant + 1", false},
	{"memoize-misses", "", noHash + small, "select count(t.note || t.email || t.code) from big b left join big t on t.id = b.tenant + 1", true},
	{"memoize-misses", "enough memory", noHash, "select count(t.note || t.email || t.code) from big b left join big t on t.id = b.tenant + 1", false},
	{"subplan-per-row", "", "", "select id, (select max(at) from big b where b.tenant = t.id) from tenants t", true},
	{"subplan-per-row", "hashed", "", "select count(*) from big where tenant not in (select id from tenants where name like '%5')", false},
	{"sort-spill", "", "", "select * from big order by note, email", true},
	{"sort-spill", "in memory", large, "select * from big order by note, email", false},
	{"sort-spill", "top-N", "", "select * from big order by note, email limit 10", false},
	{"hash-batches", "", small, "select count(*) from big b join fresh f on f.id = b.kind2 + b.id", true},
	{"hash-batches", "in memory", large, "select count(*) from big b join fresh f on f.id = b.kind2 + b.id", false},
	{"aggregate-spill", "", small + "set local enable_sort = off;", "select email, count(*) from big group by email", true},
	{"aggregate-spill", "in memory", large, "select email, count(*) from big group by email", false},
	{"temporary-files", "", small, "select count(*) from generate_series(1, 100000) g", true},
	{"temporary-files", "cte", small, "with x as materialized (select * from big) select count(*) from x", true},
	{"temporary-files", "cte in memory", large, "with x as materialized (select * from big) select count(*) from x", false},
	{"temporary-files", "in memory", "", "select count(*) from generate_series(1, 20000) g", false},
	{"workers-not-launched", "", parallelNone, "select count(*) from big where note like '%y%'", true},
	{"workers-not-launched", "launched", parallel, "select count(*) from big where note like '%y%'", false},
	{"parallel-skew", "", parallel + "set local enable_hashagg = off;", "select count(*) from skewed s, lateral generate_series(1, s.n)", true},
	{"parallel-skew", "even", parallel, "select count(*) from big where note || email like '%y%z%'", false},
	{"trigger-time", "", "", "delete from parent where id > 1900", true},
	{"trigger-time", "index", "", "delete from parent2 where id > 1000", false},
	{"trigger-time", "check of new rows", "", "insert into keyed_child select i, 5 from generate_series(40000, 60000) i", false},
	{"large-offset", "", "", "select * from big order by id limit 10 offset 50000", true},
	{"large-offset", "first page", "", "select * from big order by note limit 10", false},
	{"write-amplification", "", "", "insert into fan select i, i, i, i, i, i, i, i from generate_series(1, 3000) i", true},
	{"write-amplification", "one index", "", "insert into keyed_child select i, 5 from generate_series(40000, 60000) i", false},
	{"disabled-method", "", "set local enable_seqscan = off;", "select count(*) from big where note = 'y'", true},
	{"disabled-method", "another setting", "set local random_page_cost = 1.1;", "select count(*) from big where note = 'y'", false},
}

// TestHeuristics runs each case, and then what needs the same tables.
func TestHeuristics(t *testing.T) {
	b := newFaults(t)
	for _, c := range faultCases {
		t.Run(strings.TrimSuffix(c.heuristic+"/"+map[bool]string{true: "err_", false: "ok_"}[c.fires]+c.name, "_"), func(t *testing.T) {
			if b.major < 14 && c.heuristic == "memoize-misses" {
				t.Skip("Memoize came with 14")
			}
			settings := c.settings
			if b.major < 14 {
				settings = strings.ReplaceAll(settings, noMemo, "")
			}
			b := b.in(t)
			root, findings, _, _ := b.diagnosed(c.sql, settings, true)
			// On a busy machine one process may be done before the others have started.
			for try := 0; try < 5 && c.heuristic == "parallel-skew" && c.fires && heuristicOf(findings, c.heuristic) == nil; try++ {
				root, findings, _, _ = b.diagnosed(c.sql, settings, true)
			}
			i := slices.IndexFunc(findings, func(f Finding) bool { return f.Heuristic == c.heuristic })
			once := slices.IndexFunc(findings[i+1:], func(f Finding) bool { return f.Heuristic == c.heuristic }) < 0
			if i >= 0 != c.fires || c.fires && !once {
				t.Errorf("%s\n%s\nfindings: %s", c.sql, drawing(root), said(findings))
			}
			if testing.Verbose() {
				t.Log(said(findings))
			}
		})
	}
	for _, f := range []struct {
		name string
		run  func(*bench)
	}{
		{"healthy plans", healthyPlans}, {"composite index", compositeIndex}, {"causes", causes}, {"planned only", plannedOnly}, {"short queries", shortQueries},
		{"HOT updates", hotUpdatesOfTable}, {"correlated columns", correlatedColumns},
	} {
		t.Run(f.name, func(t *testing.T) { f.run(b.in(t)) })
	}
}

func said(findings []Finding) string {
	var out []string
	for _, f := range findings {
		out = append(out, fmt.Sprintf("%d %s %s step %d %.0f%%: %s; %s [%s]", f.ID, f.Severity, f.Heuristic, f.Step, f.Share*100, f.Message, f.Advice, f.Cause))
	}
	return strings.Join(out, "\n")
}

func drawing(s *Step) string {
	var b strings.Builder
	var draw func(s *Step, depth int)
	draw = func(s *Step, depth int) {
		fmt.Fprintf(&b, "%*s%d %s %s est=%.0f rows=%.0f loops=%.0f removed=%.0f self=%.2fms blocks=%d %.0f%% %v %v\n", 2*depth, "", s.ID, s.Title, s.Role,
			s.Estimated, s.Rows, s.Loops, s.Removed, s.SelfMS, s.SelfBlocks, s.Share*100, s.Conditions, s.Details)
		for _, c := range s.Children {
			draw(c, depth+1)
		}
	}
	draw(s, 0)
	return b.String()
}

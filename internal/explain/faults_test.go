package explain

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/planvet/planvet/internal/plan"
)

// compositeIndex is row 6 of what the analyzer must hold: an index of two keys, asked
// for by the second only.
func compositeIndex(b *bench) {
	_, findings, uses, _ := b.diagnosed("select * from big where at = '2026-02-02'", "set local enable_seqscan = off;", true)
	f := heuristicOf(findings, "index-leading-key-skipped")
	if f == nil || !strings.Contains(f.Message, "big_tenant_at is searched by at, and leads with tenant") || f.Advice != "an index that leads with at" {
		b.Errorf("finding %+v", f)
	}
	u := uses[0]
	if u.Index != "big_tenant_at" || u.Relation != "public.big" || u.Leading || !slices.Equal(u.UnusedKeys, []string{"tenant"}) || !strings.Contains(u.Condition, "big.at = ") || u.Step == 0 {
		b.Errorf("use %+v", u)
	}
	var unread []string
	for _, u := range uses {
		if u.Step == 0 {
			unread = append(unread, u.Index)
		}
	}
	if !slices.Equal(unread, []string{"big_kind", "big_pkey"}) {
		b.Errorf("not read: %v", unread)
	}
	_, _, uses, _ = b.diagnosed("select count(*) from big where tenant = 7 and email > 'U'", "set local enable_seqscan = off; set local enable_indexscan = off;", true)
	if u := uses[0]; !u.Leading || !slices.Equal(u.UnusedKeys, []string{"at"}) || !strings.Contains(u.Filter, "email") || u.Rows != 100 {
		b.Errorf("a bitmap's use %+v", u)
	}
	_, _, uses, _ = b.diagnosed("select count(*) from fresh where id < 20000", "", true)
	if u := uses[0]; u.HeapFetches != 19999 || b.major >= 18 && u.Searches != 1 {
		b.Errorf("an index-only scan's use %+v", u)
	}
}

// correlatedColumns is row 5: the finding is at the scan and not at the join above it,
// says why, and is gone once its advice is followed.
func correlatedColumns(b *bench) {
	const sql = "select * from big b join fresh f on f.id = b.id where kind = 3 and kind2 = 3"
	root, findings, _, _ := b.diagnosed(sql, "", true)
	f := heuristicOf(findings, "row-misestimate")
	if f == nil {
		b.Fatalf("no finding\n%s", drawing(root))
	}
	if at := root.all()[f.Step-1]; at.Relation != "public.big" || f.Cause != "correlated columns: kind and kind2 of big are taken for independent of each other" {
		b.Errorf("finding at %s: %+v", at.Title, f)
	}
	// The advice is two statements; the first alone changes nothing, and is known.
	create, analyze, _ := strings.Cut(f.Advice, "; ")
	b.exec(create)
	_, findings, _, _ = b.diagnosed(sql, "", true)
	if f := heuristicOf(findings, "row-misestimate"); f == nil || !strings.HasSuffix(f.Cause, "are declared and not filled") {
		b.Errorf("before ANALYZE: %+v", f)
	}
	b.exec(analyze)
	root, findings, _, _ = b.diagnosed(sql, "", true)
	if f := heuristicOf(findings, "row-misestimate"); f != nil {
		b.Errorf("after %s: %+v\n%s", f.Advice, f, drawing(root))
	}
}

// causes are told apart.
func causes(b *bench) {
	b.exec("create table pile (id int, v int); insert into pile select i, 0 from generate_series(1, 100) i")
	b.exec("analyze pile")
	b.exec("insert into pile select i, 7 from generate_series(1, 20000) i")
	b.exec("create table never (id int, v int) with (autovacuum_enabled = off); insert into never select i, 7 from generate_series(1, 20000) i")
	b.counted("pile", 20000)
	for _, c := range []struct{ name, sql, table, want string }{
		{"stale", "select * from pile where v = 7", "pile", "stale statistics: pile has had 20,"},
		{"never analysed", "select * from never where v = 7", "never", "stale statistics: never was never analysed"},
		{"expression", "select count(*) from big where id % 10 = 3", "big", "an expression without statistics: (id % 10)"},
		{"pattern", "select count(*) from big where tenant < 500 and email ~ '^[^@]*1[^@]*@'", "big", "a pattern, of whose matches"},
		{"init plan", "select * from big where kind = (select 3) and kind2 = 3", "big", "a value that is computed when the query runs"},
	} {
		p := b.explain(c.sql, "set local enable_indexscan = off; set local enable_bitmapscan = off; set local enable_indexonlyscan = off;", true)
		f, err := loadFacts(context.Background(), b, b.major, p)
		if err != nil {
			b.Fatal(err)
		}
		d := newDiagnosis(p, tree(p), f)
		for _, n := range d.nodes {
			if n.Relation != c.table {
				continue
			}
			if cause, _ := d.cause(n); !strings.HasPrefix(cause, c.want) {
				b.Errorf("%s: the cause is %q, want %q…", c.name, cause, c.want)
			}
		}
	}
	b.exec("prepare q (int) as select * from big where kind = $1")
	defer b.exec("deallocate q")
	p := b.explain("execute q (3)", "set local plan_cache_mode = force_generic_plan;", true)
	d := newDiagnosis(p, tree(p), &Facts{Generic: true})
	if cause, _ := d.cause(d.nodes[0]); !strings.HasPrefix(cause, "a parameter: ") {
		b.Errorf("generic: the cause is %q", cause)
	}
}

// counted waits until the server's counts know of a table's changes, which takes up
// to a second after the commit.
func (b *bench) counted(table string, changes int) {
	b.Helper()
	var n int
	for range 100 {
		if b.major >= 15 {
			b.exec("select pg_stat_force_next_flush()")
		}
		if err := b.conn.QueryRow(context.Background(), "select n_mod_since_analyze from pg_stat_all_tables where relid = $1::text::regclass", table).Scan(&n); err != nil {
			b.Fatal(err)
		}
		if n >= changes {
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	b.Fatalf("the server counts %d changes of %s, want %d", n, table, changes)
}

// plannedOnly are findings of plans that were not run: by cost, and by the server's
// size of the table.
func plannedOnly(b *bench) {
	_, findings, _, _ := b.diagnosed("select * from big where email = 'U77@x.org'", "", false)
	if f := heuristicOf(findings, "selective-seq-scan"); f == nil || f.Severity != Critical {
		b.Errorf("a selective scan, planned only: %s", said(findings))
	}
	_, findings, _, _ = b.diagnosed("select * from big where kind2 <> 3", "", false)
	if len(findings) != 0 && heuristicOf(findings, "selective-seq-scan") != nil {
		b.Errorf("most rows, planned only: %s", said(findings))
	}
	b.exec("prepare o (int, text) as select * from big where ($1 is null or tenant = $1) and ($2 is null or email = $2)")
	defer b.exec("deallocate o")
	for _, analyze := range []bool{false, true} {
		p := b.explain("execute o (null, 'U5@x.org')", "set local plan_cache_mode = force_generic_plan;", analyze)
		f, err := loadFacts(context.Background(), b, b.major, p)
		if err != nil {
			b.Fatal(err)
		}
		f.Generic = true
		findings, _ := diagnose(p, tree(p), f)
		if got := heuristicOf(findings, "or-across-columns"); got == nil || !strings.Contains(got.Message, "($1 IS NULL) OR (tenant = $1)") {
			b.Errorf("an optional filter, run %v: %s", analyze, said(findings))
		}
		if heuristicOf(findings, "selective-seq-scan") != nil {
			b.Errorf("an optional filter has two findings, run %v: %s", analyze, said(findings))
		}
	}
}

// shortQueries are left alone, whatever their plan.
func shortQueries(b *bench) {
	p := b.explain("select * from big where email = 'U77@x.org'", "", true)
	p.PlanningMS, p.ExecutionMS = 0.3, 0.6
	if findings, _ := diagnose(p, tree(p), nil); len(findings) > 0 {
		b.Errorf("a query of 0.9 ms: %s", said(findings))
	}
	p.ExecutionMS = 0.8
	if findings, _ := diagnose(p, tree(p), nil); len(findings) != 1 {
		b.Errorf("the same of 1.1 ms: %s", said(findings))
	}
}

// hotUpdatesOfTable is the second form of write-amplification, which counts of the
// server decide.
func hotUpdatesOfTable(b *bench) {
	p := b.explain("update big set kind = 5 where id < 2000", "", true)
	for _, c := range []struct {
		hot  float64
		want bool
	}{{100, true}, {900, false}} {
		f := &Facts{Tables: map[string]*TableFacts{"public.big": {Updates: 1000, HOT: c.hot}}}
		findings, _ := diagnose(p, tree(p), f)
		if got := heuristicOf(findings, "write-amplification"); (got != nil) != c.want {
			b.Errorf("%g of 1000 updates are HOT: %s", c.hot, said(findings))
		}
	}
}

// TestSameQueryOnFewAndManyRows is rows 7 and 8: 50 rows are silent, a million are
// one finding, also where every block is in memory.
func TestSameQueryOnFewAndManyRows(t *testing.T) {
	b := newBench(t, "create table million (v int); create table fifty (v int); insert into million select i from generate_series(1, 1000000) i; insert into fifty select i from generate_series(1, 50) i", "analyze")
	_, findings, _, _ := b.diagnosed("select * from fifty where v = 7", "", true)
	if len(findings) != 0 {
		t.Errorf("50 rows: %s", said(findings))
	}
	root, findings, _, p := b.diagnosed("select * from million where v = 7", "", true)
	if len(findings) != 1 || findings[0].Heuristic != "selective-seq-scan" || findings[0].Severity != Critical || !slices.Equal(root.Findings, []int{1}) {
		t.Errorf("a million rows: %s", said(findings))
	}
	if p.Root.Read != 0 || root.Blocks < 4000 {
		t.Errorf("%d blocks were read from outside, %d in all: the table should be cached", p.Root.Read, root.Blocks)
	}
	if _, findings, _, _ = b.diagnosed("select count(*) from million", "", true); len(findings) != 0 {
		t.Errorf("a count of all rows: %s", said(findings))
	}
}

// TestPlanningTime is row 4: a table of 200 partitions takes longer to plan than to
// run. Blocks tell it on any machine: a new session looks each partition up.
func TestPlanningTime(t *testing.T) {
	b := newBench(t, `create table metrics (at int, v int) partition by range (at);
		do $$ begin for i in 1..200 loop execute format('create table metrics_%s partition of metrics for values from (%s) to (%s)', i, i, i + 1);
			execute format('create index on metrics_%s (v)', i); end loop; end $$;
		insert into metrics select i % 200 + 1, i from generate_series(1, 2000) i`)
	b.exec("discard all")
	_, findings, _, p := b.diagnosed("select * from metrics a join metrics b using (v) where a.v = 5", "", true)
	f := heuristicOf(findings, "planning-time")
	if f == nil || f.Step != 0 || !strings.Contains(f.Message, ": 400 partitions of metrics are planned") {
		t.Errorf("planning %g ms and %d blocks, execution %g ms: %s", p.PlanningMS, p.PlanningBlocks, p.ExecutionMS, said(findings))
	}
	_, findings, _, p = b.diagnosed("select * from metrics where at = 5 and v = 4", "", true)
	if heuristicOf(findings, "planning-time") != nil && p.PlanningMS < planningMS {
		t.Errorf("one partition: %s", said(findings))
	}
}

// recorded are plans of our own making, of what no server makes at will: blocks that
// come from a slow disk, and JIT where it is not built in.
var recorded = []struct {
	heuristic, name, text string
	fires                 bool
}{
	{"io-bound", "", `{"Plan": {"Node Type": "Seq Scan", "Relation Name": "orders", "Schema": "public", "Alias": "orders", "Total Cost": 900, "Plan Rows": 9000, "Actual Rows": 9000,
		"Actual Loops": 1, "Actual Total Time": 80, "Shared Hit Blocks": 10, "Shared Read Blocks": 400, "I/O Read Time": 60}, "Planning Time": 0.1, "Execution Time": 82}`, true},
	{"io-bound", "17", `{"Plan": {"Node Type": "Seq Scan", "Relation Name": "orders", "Schema": "public", "Alias": "orders", "Total Cost": 900, "Plan Rows": 9000, "Actual Rows": 9000,
		"Actual Loops": 1, "Actual Total Time": 80, "Shared Hit Blocks": 10, "Shared Read Blocks": 400, "Shared I/O Read Time": 60}, "Planning Time": 0.1, "Execution Time": 82}`, true},
	{"io-bound", "cached", `{"Plan": {"Node Type": "Seq Scan", "Relation Name": "orders", "Schema": "public", "Alias": "orders", "Total Cost": 900, "Plan Rows": 9000, "Actual Rows": 9000,
		"Actual Loops": 1, "Actual Total Time": 80, "Shared Hit Blocks": 370, "Shared Read Blocks": 40, "Shared I/O Read Time": 60}, "Planning Time": 0.1, "Execution Time": 82}`, false},
	{"jit-overhead", "", `{"Plan": {"Node Type": "Seq Scan", "Relation Name": "orders", "Schema": "public", "Alias": "orders", "Total Cost": 120000, "Plan Rows": 9000, "Actual Rows": 9000,
		"Actual Loops": 1, "Actual Total Time": 300, "Shared Hit Blocks": 10}, "Planning Time": 0.1, "JIT": {"Functions": 12, "Timing": {"Generation": 2, "Total": 190}}, "Execution Time": 320}`, true},
	{"jit-overhead", "17", `{"Plan": {"Node Type": "Seq Scan", "Relation Name": "orders", "Schema": "public", "Alias": "orders", "Total Cost": 120000, "Plan Rows": 9000, "Actual Rows": 9000,
		"Actual Loops": 1, "Actual Total Time": 90, "Shared Hit Blocks": 10}, "Planning Time": 0.1, "JIT": {"Functions": 12, "Timing": {"Generation": {"Deform": 1, "Total": 2}, "Total": 20}}, "Execution Time": 95}`, true},
	{"jit-overhead", "pays", `{"Plan": {"Node Type": "Seq Scan", "Relation Name": "orders", "Schema": "public", "Alias": "orders", "Total Cost": 120000, "Plan Rows": 9000, "Actual Rows": 9000,
		"Actual Loops": 1, "Actual Total Time": 900, "Shared Hit Blocks": 10}, "Planning Time": 0.1, "JIT": {"Functions": 12, "Timing": {"Generation": 2, "Total": 40}}, "Execution Time": 920}`, false},
}

func TestRecorded(t *testing.T) {
	for _, c := range recorded {
		t.Run(c.heuristic+"/"+c.name, func(t *testing.T) {
			p, err := plan.Parse([]byte(c.text))
			if err != nil {
				t.Fatal(err)
			}
			findings, _ := diagnose(p, tree(p), nil)
			if (heuristicOf(findings, c.heuristic) != nil) != c.fires {
				t.Error(said(findings))
			}
		})
	}
}

// TestJIT is jit-overhead on a server that has it.
func TestJIT(t *testing.T) {
	b := newBench(t, "create table jitted as select i as v from generate_series(1, 20000) i", "analyze")
	var has bool
	if err := b.conn.QueryRow(context.Background(), "select pg_jit_available() from (select set_config('jit', 'on', false)) s").Scan(&has); err != nil || !has {
		t.Skip("this PostgreSQL was built without JIT")
	}
	const sql = "select sum(v * 2 + 1) from jitted where v % 3 = 1"
	_, findings, _, p := b.diagnosed(sql, "set local jit = on; set local jit_above_cost = 0; set local jit_optimize_above_cost = 0; set local jit_inline_above_cost = 0;", true)
	if f := heuristicOf(findings, "jit-overhead"); f == nil || p.JITFunctions == 0 {
		t.Errorf("JIT of %g ms in %g ms: %s", p.JITMS, p.ExecutionMS, said(findings))
	}
	_, findings, _, _ = b.diagnosed(sql, "set local jit = off;", true)
	if heuristicOf(findings, "jit-overhead") != nil {
		t.Errorf("without JIT: %s", said(findings))
	}
}

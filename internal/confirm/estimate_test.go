package confirm_test

import (
	"context"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/planvet/planvet/catalog"
	"github.com/planvet/planvet/internal/confirm"
	"github.com/planvet/planvet/internal/live"
	"github.com/planvet/planvet/internal/shadow"
	"github.com/planvet/planvet/internal/shadow/shadowtest"
	"github.com/planvet/planvet/internal/stats"
	"github.com/planvet/planvet/rules"
)

var tiers atomic.Int64

// planning makes a plan tier of a schema, with the candidates of findings: production's
// statistics where a file is given, else made-up ones.
func planning(t *testing.T, ddl string, fs []rules.Finding, production *stats.File) (*catalog.Catalog, confirm.Options) {
	t.Helper()
	ctx := context.Background()
	srv := shadowtest.Server(t)
	name := fmt.Sprintf("tier%d", tiers.Add(1))
	url, err := srv.NewDatabase(ctx, name)
	if err != nil {
		t.Fatal(err)
	}
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := conn.PgConn().Exec(ctx, ddl).ReadAll(); err != nil {
		t.Fatal(err)
	}
	cat, err := live.LoadCatalog(ctx, conn)
	if err != nil {
		t.Fatal(err)
	}
	made, err := shadow.BuildHidden(ctx, conn, confirm.Candidates(fs))
	if err != nil || len(made.Refused) > 0 {
		t.Fatalf("%v %v", err, made.Refused)
	}
	f := production
	if f == nil {
		cat.Stats = everywhere(100_000)
		f = shadow.Profile(cat, func(catalog.Name) shadow.TableProfile { return shadow.TableProfile{} })
	} else {
		cat.Stats = f.Sizes(nil)
	}
	loaded, err := shadow.LoadStatistics(ctx, conn, f, time.Now())
	if err != nil || len(loaded.Missing) > 0 {
		t.Fatalf("%v %v", err, loaded.Missing)
	}
	if err := shadow.SizeIndexes(ctx, conn, nil); err != nil {
		t.Fatal(err)
	}
	conn.Close(ctx)
	if err := srv.Extend(ctx, name); err != nil {
		t.Fatal(err)
	}
	s, err := live.Connect(ctx, url, live.Options{Writable: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close(ctx) })
	tier := &confirm.PlanTier{
		Server: s, Built: map[string][]confirm.Index{}, Refused: made.Refused,
		Known:   func(catalog.Name) bool { return production != nil },
		Guessed: func(catalog.Name) bool { return production == nil },
	}
	for sql, all := range made.Built {
		for _, b := range all {
			tier.Built[sql] = append(tier.Built[sql], confirm.Index(b))
		}
	}
	return cat, confirm.Options{Server: s, Plan: tier, Settings: map[string]string{"app.tenant": "a"}}
}

// everywhere is the size of every table.
type everywhere int64

func (n everywhere) Rows(*catalog.Relation) (int64, string) { return int64(n), "default" }

type estimate struct {
	name   string
	probe  *rules.Probe
	want   rules.Status
	reason string
}

func checkEstimates(t *testing.T, ddl string, production *stats.File, cases []estimate) []rules.Finding {
	t.Helper()
	var fs []rules.Finding
	for _, c := range cases {
		fs = append(fs, rules.Finding{Rule: "r", Object: rules.Object{Schema: c.probe.Schema, Table: c.probe.Table}, Probe: c.probe})
	}
	cat, o := planning(t, ddl, fs, production)
	got, err := confirm.Confirm(t.Context(), cat, fs, o)
	if err != nil {
		t.Fatal(err)
	}
	for i, c := range cases {
		v := got[i].Verdict
		if v.Status != c.want || !strings.Contains(v.Reason, c.reason) {
			t.Errorf("%s: %+v\nwant %s because %q", c.name, v, c.want, c.reason)
		}
		if v.Status == rules.Confirmed && (v.Level != rules.Estimated || v.Before == nil || v.After == nil || v.After.Cost*2 > v.Before.Cost || v.Rows == 0 || v.RowsSource == "") {
			t.Errorf("%s: confirmed by %+v %+v %+v", c.name, v, v.Before, v.After)
		}
	}
	return got
}

// With statistics that are made up from the schema.
func TestEstimated(t *testing.T) {
	orders := func(sql string, columns []string, apply ...string) *rules.Probe {
		return &rules.Probe{Kind: rules.ProbeStatement, SQL: sql, Schema: "public", Table: "orders", Alias: "orders", Columns: columns, Apply: apply}
	}
	policy := func(table, name string, apply ...string) *rules.Probe {
		return &rules.Probe{Kind: rules.ProbePolicy, Schema: "public", Table: table, Policy: name, Roles: []string{"public"}, Command: "select", Apply: apply}
	}
	as := func(p *rules.Probe, role string) *rules.Probe {
		p.Role = role
		return p
	}
	got := checkEstimates(t, schema, nil, []estimate{
		{"equality", orders("select * from orders where customer_id = $1", []string{"customer_id"}, "create index concurrently on orders (customer_id)"), rules.Confirmed, ""},
		{"as a role, by its policy", policy("notes", "mine", "create index on notes (owner)"), rules.Confirmed, ""},
		{"a path that is there", orders("select * from orders where tenant_id = $1", []string{"tenant_id"}, "create index on orders (tenant_id, status)"), rules.Refuted, "access path"},
		{"order and page", orders("select * from orders order by created_at desc limit $1", []string{"created_at"}, "create index on orders (created_at)"), rules.Confirmed, ""},
		{"range", orders("select * from orders where created_at >= $1", []string{"created_at"}, "create index orders_at on orders (created_at)"), rules.Inconclusive, "disagree"},
		{"expression", orders("select * from orders where lower(reference) = lower($1)", []string{"reference"}, "create index on orders (lower(reference))"), rules.Confirmed, ""},
		{"expression of unknown spread", orders("select * from orders where left(reference, 3) = $1", []string{"reference"}, `create index on orders ("left"(reference, 3))`), rules.Inconclusive, "no statistics"},
		{"one of three", orders("select * from orders where status = $1", []string{"status"}, "create index on orders (status)"), rules.Inconclusive, "less than half"},
		{"a constant that nobody lists", orders("select * from orders where reference = 'x-1'", []string{"reference"}, "create index on orders (reference)"), rules.Inconclusive, "no statistics tell"},
		{"update", orders("update orders set status = 'void' where reference = $1", []string{"reference"}, "create index orders_ref on orders (reference)"), rules.Confirmed, ""},
		{"foreign key", &rules.Probe{
			Kind: rules.ProbeForeignKey, Schema: "public", Table: "orders", Columns: []string{"customer_id"}, RefSchema: "public", RefTable: "customers", RefColumns: []string{"id"},
			Apply: []string{"create index orders_at on orders (customer_id, id)"}, // a name that is taken
		}, rules.Confirmed, ""},
		{"a statement as a role", as(&rules.Probe{
			Kind: rules.ProbeStatement, SQL: "select * from logs where region = $1", Schema: "public", Table: "logs", Alias: "logs", Columns: []string{"region"},
			Apply: []string{"create index on logs (tenant, region)"},
		}, "reader"), rules.Confirmed, ""},
		{"an operator that the policies come before", as(&rules.Probe{
			Kind: rules.ProbeStatement, SQL: "select * from logs where numrange(region, null) @> $1", Schema: "public", Table: "logs", Alias: "logs", Columns: []string{"region"},
			Apply: []string{"create index on logs using gist (numrange(region, null))"},
		}, "reader"), rules.Inconclusive, "made up"},
	})
	if v := got[1].Verdict; v.Role != "planvet_probe" || v.Settings["request.jwt.claims"] == "" {
		t.Errorf("asked as %q with %v", v.Role, v.Settings)
	}
	if v := got[11].Verdict; v.Role != "reader" || v.Settings["app.tenant"] != "a" {
		t.Errorf("asked as %q with %v", v.Role, v.Settings)
	}
}

// With production's statistics: the sizes, the values and what they say is rare.
func TestEstimatedByStatistics(t *testing.T) {
	const ddl = `create table jobs (id bigint primary key, state text not null, half boolean not null, ref text not null);
		create table tiny (id bigint primary key, ref text not null)`
	column := func(name string, width int, distinct float64) stats.Column {
		return stats.Column{Name: name, Width: width, Distinct: distinct}
	}
	state, half := column("state", 5, 3), column("half", 1, 2)
	state.Frequencies, state.Common = []float64{0.98, 0.012, 0.008}, "{done,open,failed}"
	half.Frequencies, half.Common = []float64{0.5, 0.5}, "{t,f}"
	f := &stats.File{Version: stats.Version, Values: true, Tables: []stats.Table{
		{Schema: "public", Name: "jobs", Rows: 3e6, Pages: 25000, Columns: []stats.Column{column("id", 8, -1), state, half, column("ref", 20, -1)}},
		{Schema: "public", Name: "tiny", Rows: 40, Pages: 1, Columns: []stats.Column{column("ref", 20, -1)}},
	}}
	f.Sort()
	probe := func(table, sql string, columns []string, apply ...string) *rules.Probe {
		return &rules.Probe{Kind: rules.ProbeStatement, SQL: sql, Schema: "public", Table: table, Alias: table, Columns: columns, Apply: apply}
	}
	got := checkEstimates(t, ddl, f, []estimate{
		{"unique", probe("jobs", "select * from jobs where ref = $1", []string{"ref"}, "create index on jobs (ref)"), rules.Confirmed, ""},
		{"a rare constant", probe("jobs", "select * from jobs where state = 'failed'", []string{"state"}, "create index jobs_state on jobs (state)"), rules.Confirmed, ""},
		{"a constant that is listed nowhere is rare", probe("jobs", "select * from jobs where ref = 'x'", []string{"ref"}, "create index on jobs (ref)"), rules.Confirmed, ""},
		{"a frequent constant", probe("jobs", "select * from jobs where state = 'done'", []string{"state"}, "create index jobs_state on jobs (state)"), rules.Refuted, "does not use"},
		{"single values and every value disagree", probe("jobs", "select * from jobs where state = $1", []string{"state"}, "create index jobs_state on jobs (state)"), rules.Inconclusive, "disagree"},
		{"half of the rows", probe("jobs", "select * from jobs where half = $1", []string{"half"}, "create index on jobs (half)"), rules.Refuted, "saves less than a tenth"},
		{"few rows", probe("tiny", "select * from tiny where ref = $1", []string{"ref"}, "create index on tiny (ref)"), rules.Inconclusive, "40 rows are too few"},
	})
	if v := got[0].Verdict; v.Rows != 3e6 || v.RowsSource != "statistics" || v.Before.Cost < 25000 {
		t.Errorf("at %d rows by %s, cost %v", v.Rows, v.RowsSource, v.Before)
	}
}

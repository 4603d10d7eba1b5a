package analyzers_test

import (
	"fmt"
	"go/types"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"golang.org/x/tools/go/analysis"
	"golang.org/x/tools/txtar"

	"github.com/planvet/planvet/analyzers"
	"github.com/planvet/planvet/analyzers/program/programtest"
	"github.com/planvet/planvet/rules"
	"github.com/planvet/planvet/sqllint"
)

const code = `
-- app.go --
package app

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"example.com/app/store"
)

func Names(ctx context.Context, tx pgx.Tx, ids []int64) {
	for _, id := range ids {
		store.Player(ctx, tx, id)
	}
	for _, id := range ids {
		if id > 7 {
			store.Player(ctx, tx, id)
		}
	}
}

func Guarded(ctx context.Context, pool *pgxpool.Pool, tx pgx.Tx) {
	pool.Query(ctx, "select id from notes where body = $1", 1)
	tx.Query(ctx, "select id from notes where body = $1", 2)
	store.Run(ctx, tx, "select id from players where name = $1")
}

func Session(ctx context.Context, pool *pgxpool.Pool) error {
	pool.Exec(ctx, "listen players")
	pool.Exec(ctx, "set local role app")
	tx, err := pool.Begin(ctx)
	if err != nil {
		return err
	}
	time.Sleep(time.Second)
	return tx.Commit(ctx)
}
-- store/store.go --
package store

import (
	"context"

	"github.com/jackc/pgx/v5"
)

func Player(ctx context.Context, tx pgx.Tx, id int64) (name string) {
	tx.QueryRow(ctx, "select name from players where id = $1", id).Scan(&name)
	return name
}

func Run(ctx context.Context, tx pgx.Tx, sql string) {
	tx.Exec(ctx, sql)
}
`

var schema = fstest.MapFS{"migrations/1_init.up.sql": {Data: []byte(`
create table players (id bigint primary key, name text not null);
create table notes (id bigint primary key, tenant bigint not null, body text not null);
create index on notes (tenant);
alter table notes enable row level security;
create policy p on notes using (tenant = 1);
`)}}

// run runs passes over packages in order, handing facts on as go vet does.
func run(t *testing.T, o analyzers.Options) []string {
	t.Helper()
	as, err := analyzers.New(o)
	if err != nil {
		t.Fatal(err)
	}
	if err := analysis.Validate(as); err != nil {
		t.Fatal(err)
	}
	a := txtar.Parse([]byte(code))
	pkgs := programtest.Load(t, a, false)
	slices.Reverse(pkgs) // store before app
	var facts []analysis.PackageFact
	var out []string
	for _, p := range pkgs {
		results := map[*analysis.Analyzer]any{}
		var one func(*analysis.Analyzer)
		one = func(an *analysis.Analyzer) {
			if _, done := results[an]; done {
				return
			}
			for _, r := range an.Requires {
				one(r)
			}
			pass := &analysis.Pass{
				Analyzer: an, Fset: p.Fset, Files: p.Files, Pkg: p.Types, TypesInfo: p.Info, ResultOf: results,
				TypesSizes: types.SizesFor("gc", "amd64"), ReadFile: programtest.Files(a),
				Report: func(d analysis.Diagnostic) {
					at := p.Fset.Position(d.Pos)
					out = append(out, fmt.Sprintf("%s:%d: %s", strings.TrimPrefix(at.Filename, programtest.Root+"/"), at.Line, d.Category))
				},
				AllPackageFacts:   func() []analysis.PackageFact { return facts },
				ExportPackageFact: func(f analysis.Fact) { facts = append(facts, analysis.PackageFact{Package: p.Types, Fact: f}) },
			}
			res, err := an.Run(pass)
			if err != nil {
				t.Fatal(err)
			}
			results[an] = res
		}
		for _, an := range as {
			one(an)
		}
	}
	slices.Sort(out)
	return out
}

func TestNew(t *testing.T) {
	o := analyzers.Options{Schema: schema, Root: programtest.Root}
	want := []string{"app.go:25: unindexed-where"}
	if got := run(t, o); !slices.Equal(got, want) {
		t.Errorf("without facts: got %q, want %q", got, want)
	}
	o.Facts = true
	want = []string{"app.go:15: nplusone", "app.go:25: unindexed-where", "app.go:27: unindexed-where"}
	if got := run(t, o); !slices.Equal(got, want) {
		t.Errorf("with facts: got %q, want %q", got, want)
	}
	o.Keep = func(f *rules.Finding) bool { return f.Rule == "nplusone" }
	if got := run(t, o); !slices.Equal(got, want[:1]) {
		t.Errorf("Keep: got %q, want %q", got, want[:1])
	}
	o.Keep, o.Enabled = nil, func(rule string) bool { return rule != "nplusone" }
	if got := run(t, o); !slices.Equal(got, want[1:]) {
		t.Errorf("Enabled: got %q, want %q", got, want[1:])
	}
	o.Pooling, o.Enabled = &sqllint.Pooling{Declared: true}, func(rule string) bool { return rule == "pool-session-state" }
	want = []string{"app.go:31: pool-session-state", "app.go:37: pool-session-state"}
	if got := run(t, o); !slices.Equal(got, want) {
		t.Errorf("Pooling: got %q, want %q", got, want)
	}
	o.Pooling = &sqllint.Pooling{Evidence: rules.Location{Path: "pgbouncer.ini", Line: 1}} // possible, which fails no build
	if got := run(t, o); len(got) > 0 {
		t.Errorf("pooling that a file shows: got %q", got)
	}
}

func TestNewWithoutSchema(t *testing.T) {
	if _, err := analyzers.New(analyzers.Options{}); err == nil {
		t.Error("no error without a schema")
	}
	if _, err := analyzers.New(analyzers.Options{Schema: fstest.MapFS{}}); err == nil {
		t.Error("no error with an empty schema")
	}
}

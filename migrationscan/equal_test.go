package migrationscan_test

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/planvet/planvet/catalog"
	"github.com/planvet/planvet/internal/engine"
	"github.com/planvet/planvet/internal/live"
	"github.com/planvet/planvet/internal/shadow"
	"github.com/planvet/planvet/internal/shadow/shadowtest"
	"github.com/planvet/planvet/migrationscan"
)

// onServer applies what a replay recorded to a fresh database and reads the
// server's catalog. Statements that the server refuses come back too.
func onServer(t *testing.T, res *migrationscan.Result) (*catalog.Catalog, []migrationscan.Problem) {
	t.Helper()
	ctx := context.Background()
	url := shadowtest.URL(t)
	if res.Supabase {
		conn, err := pgx.Connect(ctx, url)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := conn.PgConn().Exec(ctx, migrationscan.SupabaseSQL()).ReadAll(); err != nil {
			t.Fatalf("SupabaseSQL: %v", err)
		}
		conn.Close(ctx)
	}
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(ctx)
	refused, err := shadow.ApplyStatements(ctx, conn, res.Applied)
	if err != nil {
		t.Fatal(err)
	}
	cat, err := live.LoadCatalog(ctx, conn)
	if err != nil {
		t.Fatal(err)
	}
	return cat, refused
}

// differences compares two catalogs' relations; platform is the replayed one,
// which knows what the platform brought.
func differences(replayed, server *catalog.Catalog) []string {
	a, b := lines(replayed, replayed), lines(server, replayed)
	var out []string
	for _, l := range a {
		if _, ok := slices.BinarySearch(b, l); !ok {
			out = append(out, "- "+l)
		}
	}
	for _, l := range b {
		if _, ok := slices.BinarySearch(a, l); !ok {
			out = append(out, "+ "+l)
		}
	}
	slices.SortStableFunc(out, func(x, y string) int { return strings.Compare(x[2:], y[2:]) })
	return out
}

// lines writes a catalog as sorted lines, one a column, key, index, policy.
func lines(c, replayed *catalog.Catalog) []string {
	var out []string
	for _, r := range c.Document("server", nil).Relations {
		head := r.Schema + "." + r.Name + " "
		own := replayed.Relation(r.Schema, r.Name)
		add := func(format string, args ...any) { out = append(out, head+fmt.Sprintf(format, args...)) }
		for _, p := range r.Policies {
			add("policy %s %s %v %v using %s check %s", p.Name, p.Command, p.Permissive, p.Roles, text(p.Using), text(p.Check))
		}
		if own != nil && own.Platform {
			continue
		}
		add("%s partition of %s rls %v %v triggers %v", r.Kind, text(r.PartitionOf), r.RLSEnabled, r.RLSForced, r.Triggers)
		for i, k := range r.Columns {
			add("column %d %s %s not null %v default %v %s generated %v identity %q", i, k.Name, k.Type, k.NotNull, k.HasDefault,
				c.Relation(r.Schema, r.Name).Columns[i].Default, k.Generated, k.Identity)
		}
		for _, k := range r.Constraints {
			add("constraint %s %s %v -> %s %v %s valid %v", k.Name, k.Kind, k.Columns, text(k.References), k.RefColumns, k.OnDelete, k.Validated)
		}
		for _, x := range r.Indexes {
			add("index %s %s unique %v valid %v %q include %v where %s", x.Name, x.Method, x.Unique, x.Valid, x.Keys, x.Include, text(x.Predicate))
		}
	}
	slices.Sort(out)
	return out
}

func text(s *string) string {
	if s == nil {
		return "none"
	}
	return *s
}

// TestReplayOfProject compares the replay of any project, DDL in Go strings
// included, with a server:
// PLANVET_REPLAY=/path/to/project go test ./migrationscan -run ReplayOfProject -v
func TestReplayOfProject(t *testing.T) {
	dir := os.Getenv("PLANVET_REPLAY")
	if dir == "" {
		t.Skip("PLANVET_REPLAY names no project")
	}
	for _, db := range databases(t, dir) {
		set, res := db.Set, db.Replay
		t.Run(set.Name, func(t *testing.T) {
			server, refused := onServer(t, res)
			for _, p := range refused {
				t.Logf("refused by the server: %s:%d: %s", p.Path, p.Line, p.Error)
			}
			for _, p := range slices.Concat(res.Unparsed, res.NotApplied) {
				t.Logf("not replayed: %s:%d: %s", p.Path, p.Line, p.Error)
			}
			diff := differences(res.Catalog, server)
			t.Logf("%d statements, %d refused by the server, %d lines, %d differ", res.Statements, len(refused), len(lines(server, res.Catalog)), len(diff))
			for _, l := range diff {
				t.Error(l)
			}
		})
	}
}

// databases replays a project's migration files, or the DDL in its Go code where
// there are none.
func databases(t *testing.T, dir string) []*engine.Database {
	t.Helper()
	d, err := migrationscan.Discover(os.DirFS(dir), migrationscan.Options{})
	if err != nil {
		t.Fatal(err)
	}
	var out []*engine.Database
	for _, s := range d.Sets {
		out = append(out, &engine.Database{Set: s, Replay: migrationscan.Replay(s, migrationscan.ReplayOptions{})})
	}
	if len(out) > 0 {
		return out
	}
	p, err := engine.Open(engine.Options{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Load(context.Background()); err != nil {
		t.Fatal(err)
	}
	return p.Databases
}

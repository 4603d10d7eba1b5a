package shadow_test

import (
	"context"
	"math"
	"net/url"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/planvet/planvet/internal/live"
	"github.com/planvet/planvet/internal/plan"
	"github.com/planvet/planvet/internal/shadow"
	"github.com/planvet/planvet/internal/shadow/shadowtest"
)

var twinServer = sync.OnceValues(func() (*shadow.Server, error) {
	return shadow.Start(context.Background(), shadow.Options{Major: major, ForTwins: true})
})

var major int

func twinOf(t *testing.T, original *live.Session, part live.Part, candidates ...string) *shadow.Twin {
	t.Helper()
	ctx := t.Context()
	major = shadowtest.Server(t).Major()
	srv, err := twinServer()
	if err != nil {
		t.Fatal(err)
	}
	l, err := shadow.Read(ctx, original, part)
	if err != nil {
		t.Fatal(err)
	}
	twin, err := srv.Twin(ctx, strings.ToLower(strings.ReplaceAll(t.Name(), "/", "_")), l, candidates)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { twin.Close(context.Background()) })
	return twin
}

func statements(t *testing.T, file string) []string {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, sql := range strings.Split(string(text), ";\n") {
		if sql = strings.TrimSpace(sql); sql != "" {
			out = append(out, sql)
		}
	}
	return out
}

// named opens a session on a database as one names a server: it only reads.
func named(t *testing.T, databaseURL, user string) *live.Session {
	t.Helper()
	u, err := url.Parse(databaseURL)
	if err != nil {
		t.Fatal(err)
	}
	if user != "" {
		u.User = url.User(user)
	}
	s, err := live.Connect(t.Context(), u.String(), live.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close(context.Background()) })
	return s
}

// samePlans compares the plans of statements on a live server and on its twin.
func samePlans(t *testing.T, original *live.Session, twin *shadow.Twin, sqls []string, r plan.Request) {
	t.Helper()
	equal, skipped := 0, 0.0
	if original.Major() >= 18 {
		skipped = 0.06
	}
	for _, sql := range sqls {
		r.SQL = sql
		want, err := original.Explain(t.Context(), r)
		if err != nil {
			t.Errorf("%s: %v", sql, err)
			continue
		}
		got, err := twin.Explain(t.Context(), r)
		if err != nil {
			t.Errorf("the twin does not plan %s: %v", sql, err)
			continue
		}
		if want.Shape() != got.Shape() {
			t.Errorf("another plan for %s\noriginal, cost %.2f:\n%stwin, cost %.2f:\n%s", sql, want.Root.TotalCost, want.Shape(), got.Root.TotalCost, got.Shape())
			continue
		}
		// A skip scan, of 18, descends once a value: tolerance counts one.
		if math.Abs(got.Root.TotalCost-want.Root.TotalCost) > max(tolerance(want), skipped*want.Root.TotalCost) {
			t.Errorf("another cost for %s: %.2f, twin %.2f", sql, want.Root.TotalCost, got.Root.TotalCost)
		}
		equal++
	}
	t.Logf("%d of %d plans are equal", equal, len(sqls))
}

// A part of a schema with an object of every kind that is made anew, read by the
// statements that name it: the twin plans them as its original does, as the owner of
// all and as a role under row security with claims.
func TestTwinOfEveryKindOfObject(t *testing.T) {
	f := fidelity{t: t, ctx: t.Context()}
	setup := func(name string) string {
		text, err := os.ReadFile("testdata/twin/" + name)
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	s, _ := f.database(setup("schema.sql"), setup("rows.sql"), "vacuum analyze")
	t.Cleanup(func() { dropRoles(s) })
	sqls := statements(t, "testdata/twin/queries.sql")
	original := named(t, s.Conn().Config().ConnString(), "")
	twin := twinOf(t, original, live.Part{Texts: sqls, Roles: []string{"twin_user"}})
	for _, l := range twin.Lacking {
		if !strings.Contains(l, "orders_together") {
			t.Errorf("the twin lacks: %s", l)
		}
	}
	if n, err := twin.Session.Query(t.Context(), "select 1 from pg_class where relname in ('untouched', 'totals', 'parents')"); err != nil || len(n) > 0 {
		t.Errorf("tables that no statement needs are there: %d, %v", len(n), err)
	}
	t.Run("superuser", func(t *testing.T) { samePlans(t, original, twin, sqls, plan.Request{}) })
	t.Run("owner", func(t *testing.T) { samePlans(t, original, twin, sqls[:7], plan.Request{Role: "twin_owner"}) })
	t.Run("row security", func(t *testing.T) {
		readable := slices.DeleteFunc(slices.Clone(sqls), func(sql string) bool { return strings.Contains(sql, "select t.name") })
		samePlans(t, original, twin, readable, plan.Request{Role: "twin_user", Settings: map[string]string{"request.jwt.claims": `{"sub": "17"}`}})
	})
	// Rights decide whether a policy's statistics may be used, so they are the same.
	r := plan.Request{SQL: "select * from app.tenants", Role: "twin_user"}
	if _, err := twin.Explain(t.Context(), r); live.Code(err) != "42501" {
		t.Errorf("a column without a grant can be read: %v", err)
	}
}

// What may be read is the same for a role that has no rights at all.
func TestSchemaIsReadWithoutRights(t *testing.T) {
	f := fidelity{t: t, ctx: t.Context()}
	schema, err := os.ReadFile("testdata/twin/schema.sql")
	if err != nil {
		t.Fatal(err)
	}
	s, _ := f.database(string(schema))
	t.Cleanup(func() { dropRoles(s) })
	sqls := statements(t, "testdata/twin/queries.sql")
	var dumps [2][]live.SchemaStatement
	for i, user := range []string{"", "twin_reader"} {
		d, err := named(t, s.Conn().Config().ConnString(), user).DumpSchema(t.Context(), live.Part{Texts: sqls})
		if err != nil {
			t.Fatal(err)
		}
		dumps[i] = slices.DeleteFunc(d.Statements, func(st live.SchemaStatement) bool {
			return strings.HasPrefix(st.Object, "role ") || strings.HasPrefix(st.Object, "rights on ")
		})
	}
	if len(dumps[0]) < 40 || !slices.Equal(dumps[0], dumps[1]) {
		t.Errorf("a role without rights reads another schema: %d statements, the superuser %d", len(dumps[1]), len(dumps[0]))
	}
}

func dropRoles(s *live.Session) {
	s.Conn().PgConn().Exec(context.Background(), "reset all; drop owned by twin_owner, twin_member, twin_user, twin_reader cascade; drop role twin_owner, twin_member, twin_user, twin_reader").ReadAll()
}

// The statements of the fidelity test, with the schema read from the server.
func TestTwinPlansLikeTheOriginal(t *testing.T) {
	f := fidelity{t: t, ctx: t.Context()}
	s, _ := f.database(f.read("schema.sql"), f.read("rows.sql"), "vacuum analyze")
	original := named(t, s.Conn().Config().ConnString(), "")
	sqls := statements(t, "testdata/fidelity/queries.sql")
	twin := twinOf(t, original, live.Part{Texts: sqls})
	if len(twin.Lacking) > 0 {
		t.Errorf("the twin lacks: %s", strings.Join(twin.Lacking, "; "))
	}
	samePlans(t, original, twin, sqls, plan.Request{})
}

// A candidate costs on the twin what it costs on the original once it is built there.
func TestCandidatesCostWhatTheyWillCost(t *testing.T) {
	f := fidelity{t: t, ctx: t.Context()}
	s, _ := f.database(f.read("schema.sql"), f.read("rows.sql"), "vacuum analyze")
	original := named(t, s.Conn().Config().ConnString(), "")
	candidates := []struct{ ddl, sql string }{
		{"create index concurrently on orders (total)", "select * from orders where total between 100 and 100.5"},
		{"create index concurrently on orders (state, created_at)", "select * from orders where state = 'packed' and created_at > timestamptz '2025-10-01'"},
		{"create index concurrently on orders (customer_id) include (total)", "select sum(total) from orders where customer_id = 4"},
		{"create index concurrently on orders (created_at) where state = 'returned'", "select * from orders where state = 'returned' order by created_at limit 5"},
		{"create index concurrently on order_items (quantity)", "select * from order_items where quantity = 12"},
		{"create index concurrently on products using gin (name gin_trgm_ops)", "select * from products where name like '%abcd%'"},
		{"create index concurrently on customers (country, created_at) where not active", "select * from customers where not active and country = 'NZ' order by created_at limit 5"},
	}
	var ddl, sqls []string
	for _, c := range candidates {
		ddl, sqls = append(ddl, c.ddl), append(sqls, c.sql)
	}
	twin := twinOf(t, original, live.Part{Texts: sqls}, ddl...)
	for i, c := range candidates {
		before, err := twin.Explain(t.Context(), plan.Request{SQL: c.sql})
		if err != nil {
			t.Fatal(err)
		}
		want, err := original.Explain(t.Context(), plan.Request{SQL: c.sql})
		if err != nil {
			t.Fatal(err)
		}
		if before.Shape() != want.Shape() {
			t.Errorf("%s: candidates are seen before they are shown:\n%s", c.sql, before.Shape())
		}
		if twin.Candidates[i].Problem != "" {
			t.Fatalf("%s: %s", c.ddl, twin.Candidates[i].Problem)
		}
		if err := twin.Show(t.Context(), i); err != nil {
			t.Fatal(err)
		}
		after, err := twin.Explain(t.Context(), plan.Request{SQL: c.sql})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.Conn().Exec(t.Context(), plan.InPlace(c.ddl)); err != nil {
			t.Fatal(err)
		}
		if want, err = original.Explain(t.Context(), plan.Request{SQL: c.sql}); err != nil {
			t.Fatal(err)
		}
		var pages int64
		if err := s.Conn().QueryRow(t.Context(), "select relpages from pg_class where oid = (select max(indexrelid) from pg_index)").Scan(&pages); err != nil {
			t.Fatal(err)
		}
		guess := twin.Candidates[i].Pages
		t.Logf("%s: %d pages guessed, %d built; cost %.2f before, %.2f guessed, %.2f built", c.ddl, guess, pages, before.Root.TotalCost, after.Root.TotalCost, want.Root.TotalCost)
		if want.Shape() != after.Shape() {
			t.Errorf("another plan with %s:\nbuilt:\n%sguessed:\n%s", c.ddl, want.Shape(), after.Shape())
		}
		rough := 0.05
		if strings.Contains(c.ddl, "gin") {
			rough = 0.6
		}
		if off := math.Abs(float64(guess - pages)); off > rough*float64(pages)+3 {
			t.Errorf("%s: guessed %d pages, it has %d", c.ddl, guess, pages)
		}
		if err := twin.Show(t.Context()); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Conn().Exec(t.Context(), "do $$ begin execute (select 'drop index ' || max(indexrelid)::regclass from pg_index); end $$"); err != nil {
			t.Fatal(err)
		}
	}
}

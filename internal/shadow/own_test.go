package shadow_test

import (
	"errors"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/planvet/planvet/internal/shadow"
	"github.com/planvet/planvet/internal/shadow/shadowtest"
	"github.com/planvet/planvet/internal/stats"
)

// A file goes into a running throwaway server, and from then on that plans by it; what
// the database lacks, or has too much of, is named.
func TestLoadInto(t *testing.T) {
	conn := shadowtest.Connect(t, "create table visits (id bigint primary key, guest bigint not null)", "create index visits_guest on visits (guest)",
		"create table full_one as select generate_series(1, 5000) as n")
	f := &stats.File{Version: stats.Version, Tables: []stats.Table{
		{Schema: "public", Name: "visits", Rows: 3e6, Pages: 30000, Columns: []stats.Column{{Name: "guest", Width: 8, Distinct: 60000}}},
		{Schema: "public", Name: "full_one", Rows: 10, Pages: 1},
		{Schema: "public", Name: "gone", Rows: 10, Pages: 1},
	}}
	loaded, err := shadow.LoadInto(t.Context(), conn, f, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	if m := strings.Join(loaded.Missing, "; "); len(loaded.Missing) != 2 || !strings.Contains(m, "public.gone") || !strings.Contains(m, "full_one has") {
		t.Errorf("missing: %s", m)
	}
	fresh, err := pgx.ConnectConfig(t.Context(), conn.Config())
	if err != nil {
		t.Fatal(err)
	}
	defer fresh.Close(t.Context())
	for sql, want := range map[string]string{"select * from visits": "cost=0.00..60000.00 rows=3000000", "select * from visits where guest = 1": "visits_guest"} {
		rows, err := fresh.Query(t.Context(), "explain "+sql)
		if err != nil {
			t.Fatal(err)
		}
		lines, err := pgx.CollectRows(rows, pgx.RowTo[string])
		if err != nil || !strings.Contains(strings.Join(lines, "\n"), want) {
			t.Errorf("%s: wanted %q: %v\n%s", sql, want, err, strings.Join(lines, "\n"))
		}
	}
}

// A server that says of itself that it is a throwaway one, and is none, is refused, and
// nothing of it has changed.
func TestLoadIntoRefuses(t *testing.T) {
	conn := shadowtest.Connect(t, "create table visits (id bigint)")
	f := &stats.File{Version: stats.Version, Settings: map[string]string{"random_page_cost": "1.1"}, Tables: []stats.Table{{Schema: "public", Name: "visits", Rows: 3e6, Pages: 30000}}}
	for _, said := range []string{"", "planvet-pg-000000000000", "../../planvet-pg-000000000000"} {
		u := conn.Config().ConnString()
		parsed, err := url.Parse(u)
		if err != nil {
			t.Fatal(err)
		}
		q := parsed.Query()
		q.Set("planvet.shadow", said)
		parsed.RawQuery = strings.ReplaceAll(q.Encode(), "+", "%20")
		other, err := pgx.Connect(t.Context(), parsed.String())
		if err != nil {
			t.Fatal(err)
		}
		_, err = shadow.LoadInto(t.Context(), other, f, time.Now())
		other.Close(t.Context())
		if !errors.Is(err, shadow.ErrNotOwn) || strings.Contains(err.Error(), "\n") {
			t.Errorf("says %q: %v", said, err)
		}
	}
	var pages int
	var settings *string
	if err := conn.QueryRow(t.Context(), "select relpages, (select string_agg(x::text, ',') from pg_db_role_setting x where setdatabase = (select oid from pg_database where datname = current_database())) from pg_class where relname = 'visits'").Scan(&pages, &settings); err != nil || pages != 0 || settings != nil {
		t.Errorf("%d pages, settings %v: %v", pages, settings, err)
	}
}

package shadow_test

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/planvet/planvet/catalog"
	"github.com/planvet/planvet/internal/live"
	"github.com/planvet/planvet/internal/shadow"
	"github.com/planvet/planvet/internal/shadow/shadowtest"
)

// Each testdata/rows/*.sql makes a table "t" that is filled with 2,000 rows: all of
// them in ok_*, none and a reason in limits_*.
func TestMakeRows(t *testing.T) {
	files, err := filepath.Glob("testdata/rows/*.sql")
	if err != nil || len(files) == 0 {
		t.Fatal("no cases", err)
	}
	for _, file := range files {
		name := filepath.Base(file)
		t.Run(name, func(t *testing.T) {
			sql, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			sum, report := fill(t, string(sql))
			if name[:2] == "ok" && (report.Problem != "" || report.Rows < 1900) {
				t.Errorf("%d rows: %s", report.Rows, report.Problem)
			}
			if name[:2] != "ok" && (report.Problem == "" || report.Rows > 0) {
				t.Errorf("%d rows, problem %q: move the case to ok_", report.Rows, report.Problem)
			}
			if again, _ := fill(t, string(sql)); again != sum {
				t.Errorf("a second run made other rows: %s, %s", sum, again)
			}
		})
	}
}

// fill makes the rows in a database of its own and returns a hash over them. Rows
// that break a foreign key fail the test.
func fill(t *testing.T, schema string) (string, shadow.RowReport) {
	t.Helper()
	ctx := context.Background()
	conn := shadowtest.Connect(t, schema)
	cat, err := live.LoadCatalog(ctx, conn)
	if err != nil {
		t.Fatal(err)
	}
	name := catalog.Name{Schema: "public", Name: "t"}
	reports, err := shadow.MakeRows(ctx, conn, cat, map[catalog.Name]int64{name: 2000})
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range cat.Relations() {
		for _, k := range r.Constraints {
			if k.Kind != catalog.ForeignKey {
				continue
			}
			// Validating it anew looks at every row.
			var def string
			err := conn.QueryRow(ctx, "select pg_get_constraintdef(oid) from pg_constraint where conname = $1 and conrelid = $2::regclass", k.Name, r.Name.String()).Scan(&def)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := conn.Exec(ctx, "alter table "+r.Name.String()+" add "+def); err != nil {
				t.Errorf("%s.%s: %v", r.Name, k.Name, err)
			}
		}
	}
	var sum string
	err = conn.QueryRow(ctx, "select coalesce(md5(string_agg(x::text, ',' order by x::text)), '') from t x").Scan(&sum)
	if err != nil {
		t.Fatal(err)
	}
	return sum, reports[name]
}

package ab

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/planvet/planvet/internal/bench/gate"
	"github.com/planvet/planvet/internal/bench/suite"
	"github.com/planvet/planvet/internal/bench/verdict"
	"github.com/planvet/planvet/internal/bench/work"
	"github.com/planvet/planvet/internal/shadow/shadowtest"
)

// A flow whose requests send more statements than they did fails by their number, without
// a time.
func TestFlowStatements(t *testing.T) {
	ctx := context.Background()
	serve := func(statements int) (string, string) {
		conn := shadowtest.Connect(t, "create extension pg_stat_statements", "create table slips (id int primary key)", "insert into slips select generate_series(1, 100)")
		url := conn.Config().ConnString()
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			db, err := pgx.Connect(ctx, url)
			if err != nil {
				http.Error(w, err.Error(), 500)
				return
			}
			defer db.Close(ctx)
			for i := range statements {
				if _, err := db.Exec(ctx, "select * from slips where id = $1", i); err != nil {
					http.Error(w, err.Error(), 500)
				}
			}
			fmt.Fprintln(w, `{"id": 7}`)
		}))
		t.Cleanup(s.Close)
		return s.URL, url
	}
	var urls, databases [2]string
	for arm, statements := range []int{1, 5} {
		urls[arm], databases[arm] = serve(statements)
	}
	f, err := suite.Parse("suites.yaml", []byte(`version: 1
suites:
  e2e:
    base_url: http://x
    database_url: postgres://x
    flows:
      - name: slip
        steps:
          - {name: open, method: POST, path: /slips, capture: {id: $.id}}
          - {name: close, method: POST, path: "/slips/{{id}}/close"}
`))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		urls, databases [2]string
		verdict         gate.Verdict
	}{
		{urls, databases, gate.Fail},
		{[2]string{urls[0], urls[0]}, [2]string{databases[0], databases[0]}, gate.Inconclusive},
	} {
		var arms [2]*suite.E2E
		for arm := range arms {
			e := *f.E2E
			e.BaseURL, e.DatabaseURL = c.urls[arm], c.databases[arm]
			arms[arm] = &e
		}
		cases, err := E2E(t.Context(), arms, "pr-123")
		if err != nil {
			t.Fatal(err)
		}
		r, err := Run(t.Context(), cases, Options{Gate: gate.Options{Threshold: 0.1, Seed: 1}, Iterations: 1})
		if err != nil {
			t.Fatal(err)
		}
		k := &r.Cases[0]
		t.Logf("%s %v %q %+v", k.Verdict, k.Labels, k.Reasons, k.Causes)
		if k.Verdict != c.verdict || k.Work == nil || k.A.Requests == 0 || k.A.Errors > 0 {
			t.Errorf("%+v", k)
		}
		if c.verdict == gate.Fail && (!slices.Contains(k.Labels, verdict.MoreWork) || !strings.HasPrefix(k.Reasons[0], "statements 2 → 10 ") || len(k.Causes) != 1 || k.Causes[0].Kind != work.MoreStatements) {
			t.Errorf("%+v", k)
		}
	}
}

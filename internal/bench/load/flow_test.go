package load

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/planvet/planvet/internal/bench/results"
	"github.com/planvet/planvet/internal/bench/suite"
	"github.com/planvet/planvet/internal/shadow/shadowtest"
)

// slipServer opens, updates and closes slips in a database.
func slipServer(t *testing.T, url string) *httptest.Server {
	t.Helper()
	pool, err := pgxpool.New(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	mux := http.NewServeMux()
	answer := func(w http.ResponseWriter, r *http.Request, sql string, args ...any) {
		var id int64
		if err := pool.QueryRow(r.Context(), sql, args...).Scan(&id); err != nil {
			http.Error(w, err.Error(), http.StatusConflict)
			return
		}
		w.Header().Set("Location", fmt.Sprintf("/slips/%d", id))
		w.Header().Set("Content-Type", "application/json")
		json.NewEncoder(w).Encode(map[string]any{"slip": map[string]any{"id": id, "tags": []string{"new"}}})
	}
	mux.HandleFunc("POST /slips", func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		var in struct {
			Guest string `json:"guest"`
		}
		if json.Unmarshal(body, &in) != nil || !strings.HasPrefix(in.Guest, "g") {
			t.Errorf("got the body %s", body)
		}
		answer(w, r, "insert into slips (guest) values ($1) returning id", in.Guest)
	})
	mux.HandleFunc("PATCH /slips/{id}", func(w http.ResponseWriter, r *http.Request) {
		if _, err := pool.Exec(r.Context(), "select 1 from slips where id = $1", r.PathValue("id")); err != nil {
			t.Error(err)
		}
		answer(w, r, "update slips set bet = bet + 5 where id = $1 and state = 'open' returning id", r.PathValue("id"))
	})
	mux.HandleFunc("POST /slips/{id}/close", func(w http.ResponseWriter, r *http.Request) {
		answer(w, r, "update slips set state = 'closed' where id = $1 and state = 'open' returning id", r.PathValue("id"))
	})
	mux.HandleFunc("GET /slow", func(http.ResponseWriter, *http.Request) { time.Sleep(60 * time.Millisecond) })
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	return server
}

const slipSchema = "create table slips (id bigint generated always as identity primary key, guest text not null, bet int default 0, state text not null default 'open')"

func flows(t *testing.T, text string) *suite.File {
	t.Helper()
	f, err := suite.Parse("suites.yaml", []byte("version: 1\nsuites:\n  e2e:\n"+text))
	if err != nil {
		t.Fatal(err)
	}
	if f, err = f.Expand(nil, "e2e"); err != nil {
		t.Fatal(err)
	}
	return f
}

func benchFlows(t *testing.T, ctx context.Context, text string, o Options) (*Report, []results.Flow) {
	t.Helper()
	o.Suites, o.CorrelationID = []string{"e2e"}, "pr-123"
	r, err := Bench(ctx, flows(t, text), o)
	if err != nil {
		t.Fatal(err)
	}
	return r, r.Results.Suites[0].Flows
}

// live.md rows 34 and 49: a slip is opened, updated and closed; each step, the flow and what
// leads from state to state have their latencies and the flow its number of statements.
func TestFlow(t *testing.T) {
	conn := shadowtest.Connect(t, slipSchema, "create extension if not exists pg_stat_statements", "create role flow_host", "grant select on slips to flow_host")
	server := slipServer(t, conn.Config().ConnString())
	t.Setenv("FLOW_TEST_DB", conn.Config().ConnString())
	r, all := benchFlows(t, t.Context(), `    base_url: `+server.URL+`
    database_url: ${FLOW_TEST_DB}
    rate: 40
    flows:
      - name: slip lifecycle
        service: RatingSlip
        data_sql: select 'g' || i as guest from generate_series(1, 3) i
        steps:
          - {name: open, operation: Open, state: open, method: POST, path: /slips, body: '{"guest": "{{guest}}"}', capture: {slip: $.slip.id, tag: "$.slip.tags[0]", place: header Location}}
          - {name: update, operation: Update, state: updated, think: 30ms, method: PATCH, path: "/slips/{{slip}}", expect: {contains: '"id":{{slip}}'}}
          - {name: look, sql: 'select guest, bet from slips where id = $1 and guest = $2', params: ["{{slip}}", "{{guest}}"], role: flow_host, rows: 1, capture: {bet: bet}}
          - parallel:
              - {name: slow, path: /slow}
              - {name: write, sql: 'update slips set bet = $2::int + 1 where id = $1', params: ["{{slip}}", "{{bet}}"], rows: 1}
          - {name: close, operation: Close, state: closed, method: POST, path: "{{place}}/close"}
`, Options{Iterations: 80})
	if !r.Valid() || len(all) != 1 {
		t.Fatalf("%+v %+v", r.Notes, all)
	}
	f := all[0]
	if f.Requests != 80 || f.Errors.Count != 0 || f.Load != "open" || *f.OfferedRPS != 40 || f.Latency.P95 == nil || f.ThroughputRPS == nil || len(f.Distribution) == 0 || f.Histogram == "" {
		t.Errorf("got %+v", f)
	}
	var names []string
	for _, s := range f.Steps {
		names = append(names, s.Name)
		if s.Requests != 80 || s.Errors.Count != 0 || len(s.Distribution) == 0 {
			t.Errorf("%s: %+v", s.Name, s.Measured)
		}
	}
	if got := strings.Join(names, " "); got != "open update look slow write close" {
		t.Error(got)
	}
	// The user's 30 ms are nobody's latency, the parallel 60 ms are the flow's once.
	if f.Latency.P50.Value < 60 || f.Steps[3].Latency.P50.Value < 60 || f.Steps[1].Latency.P50.Value > 30 {
		t.Errorf("flow %+v, slow %+v, update %+v", f.Latency.P50, f.Steps[3].Latency.P50, f.Steps[1].Latency.P50)
	}
	if len(f.Transitions) != 3 || f.Transitions[0].From != "" || f.Transitions[1].From != "open" || f.Transitions[2].From != "updated" || f.Transitions[2].To != "closed" {
		t.Fatalf("got %+v", f.Transitions)
	}
	// From updated to closed are the steps between them too; from open to updated no pause.
	if a, b := f.Transitions[1], f.Transitions[2]; a.Requests != 80 || b.Latency.P50.Value < 60 || a.Latency.P50.Value > 30 {
		t.Errorf("got %+v, %+v", a.Latency, b.Latency)
	}
	// Statements of the server, and of the flow itself; what opens a transaction is none. A
	// role is set by one more.
	want := map[string]float64{"open": 1, "update": 2, "close": 1}
	for _, s := range f.Steps {
		if n, ok := want[s.Name]; ok && (s.Queries == nil || *s.Queries != n) {
			t.Errorf("%s: %v statements, want %v", s.Name, s.Queries, n)
		}
	}
	if f.Queries == nil || *f.Queries < 6 || f.Steps[4].Queries != nil {
		t.Errorf("%v statements", f.Queries)
	}
	var open, odd int
	if err := conn.QueryRow(t.Context(), "select count(*) filter (where state = 'open'), count(*) filter (where bet <> 6) from slips").Scan(&open, &odd); err != nil || open != 0 || odd != 0 {
		t.Errorf("%d are open, %d have another bet, %v", open, odd, err)
	}
	var text strings.Builder
	if err := Markdown(&text, r); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"| slip lifecycle | open, 40/s | 80 | 0 |", "| › update |", "open → updated", "statements a run: open 1, update 2"} {
		if !strings.Contains(text.String(), want) {
			t.Errorf("no %q in %s", want, text.String())
		}
	}
}

// A step that fails ends the run and is counted there: those after it have fewer requests.
func TestFlowFails(t *testing.T) {
	var n atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/b" && n.Add(1)%10 == 0 {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
		io.WriteString(w, `{"id": 7}`)
	}))
	defer server.Close()
	r, all := benchFlows(t, t.Context(), `    base_url: `+server.URL+`
    clients: 2
    warmup: 10
    flows:
      - {name: f, steps: [{name: a, state: begun, path: /a}, {name: b, path: /b}, {name: c, state: done, path: /c}]}
      - {name: g, steps: [{name: a, path: /a, capture: {x: $.name}}, {name: b, path: "/{{x}}"}]}
`, Options{Iterations: 100, Closed: true})
	f := all[0]
	if f.Load != "closed" || f.Clients != 2 || f.Requests != 100 || f.Errors.Count != 10 || f.Errors.ByClass["503"] != 10 || f.Invalid == "" || r.Valid() {
		t.Errorf("got %+v", f)
	}
	if a, b, c := f.Steps[0], f.Steps[1], f.Steps[2]; a.Errors.Count != 0 || b.Requests != 100 || b.Errors.ByClass["503"] != 10 || c.Requests != 90 || c.Errors.Count != 0 {
		t.Errorf("got %+v", f.Steps)
	}
	if done := f.Transitions[1]; done.Requests != 100 || done.Errors.Count != 10 {
		t.Errorf("got %+v", done)
	}
	// A value that is not in the answer is an error of the step that should have it.
	if g := all[1]; g.Errors.ByClass[ClassCapture] != g.Errors.Count || g.Requests < hopeless || g.Steps[1].Requests != 0 {
		t.Errorf("got %+v", g)
	}
	e := r.Events()
	if len(e) != 2 || e[0].Subject != "e2e f" || e[0].Verdict != "invalid" {
		t.Errorf("got %+v", e)
	}
}

// What a flow captures goes into URLs escaped.
func TestFillPath(t *testing.T) {
	v := map[string]string{"x": "a/b ?&c"}
	if got := fillPath("/p/{{x}}?q={{x}}&y=1", v); got != "/p/a%2Fb%20%3F&c?q=a%2Fb+%3F%26c&y=1" {
		t.Error(got)
	}
	if got := fillPath("{{place}}/close", map[string]string{"place": "/slips/7"}); got != "/slips/7/close" {
		t.Error(got)
	}
}

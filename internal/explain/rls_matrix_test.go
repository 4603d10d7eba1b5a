package explain

import (
	"context"
	"strings"
	"testing"

	"github.com/planvet/planvet/internal/live"
)

const tickets = platform + `
create table tickets (id bigint generated always as identity primary key, org text not null, title text not null, shared boolean not null default false);
create table replies (id uuid primary key default gen_random_uuid(), ticket_id bigint not null references tickets, org text not null, body text not null);
create table kinds (id bigint primary key, name text not null);
insert into tickets (org, title, shared) select 'org' || i % 4, 'ticket ' || i, i % 100 = 0 from generate_series(1, 2000) i;
insert into replies (ticket_id, org, body) select i, 'org' || i % 4, 'reply' from generate_series(1, 2000) i;
insert into kinds select i, 'kind ' || i from generate_series(1, 10) i;
create function org() returns text language sql stable as $$ select nullif(current_setting('request.jwt.claims', true), '')::jsonb ->> 'org' $$;
alter table tickets enable row level security;
alter table replies enable row level security;
alter table kinds enable row level security;
create policy of_org on tickets using (org = org()) with check (org = org());
create policy read on replies for select to authenticated using (org = (select org()));
create policy add on replies for insert to authenticated with check (org = (select org()));
create policy change on replies for update to authenticated using (org = (select org()));
create policy everybody on kinds for select using (true);
analyze;
`

func matrix(t *testing.T, s *live.Session, o MatrixOptions) map[string]Cell {
	t.Helper()
	ctx := context.Background()
	cat, err := s.LoadCatalog(ctx)
	if err != nil {
		t.Fatal(err)
	}
	cells, err := MeasureMatrix(ctx, s, cat, o)
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]Cell{}
	for _, c := range cells {
		out[strings.Join([]string{c.Role, string(rune('0' + c.Identity)), c.Table, c.Verb}, " ")] = c
	}
	return out
}

var twoOrgs = MatrixOptions{Claims: []string{`{"role":"authenticated","org":"org1"}`, `{"role":"authenticated","org":"org2"}`}, Writes: true, Own: true}

// TestMatrix is row 73 with two tenants: each sees and changes its own rows, anon none,
// and every cell that cannot be judged says why.
func TestMatrix(t *testing.T) {
	s := database(t, tickets)
	got := matrix(t, s, twoOrgs)
	if len(got) != 3*3*4 {
		t.Errorf("%d cells", len(got))
	}
	for key, want := range map[string]struct {
		outcome string
		rows    int64
		reason  string
	}{
		"authenticated 1 tickets select": {OK, 500, ""},
		"authenticated 1 tickets insert": {OK, 1, ""},
		"authenticated 1 tickets update": {OK, 500, ""},
		"authenticated 2 tickets delete": {OK, 500, ""},
		"authenticated 2 replies select": {OK, 500, ""},
		"authenticated 2 replies insert": {OK, 1, ""},
		"authenticated 2 replies update": {OK, 500, ""},
		"authenticated 2 replies delete": {OK, 0, ""},
		"authenticated 1 kinds select":   {Undecided, 10, "no policy for select ties a row"},
		"anon 0 tickets select":          {OK, 0, ""},
		"anon 0 tickets insert":          {Undecided, 0, "anon has no claims"},
		"anon 0 replies update":          {OK, 0, ""},
		"anon 0 replies insert":          {Denied, 0, "no policy lets it insert"},
	} {
		c := got[key]
		if c.Outcome != want.outcome || c.Rows != want.rows || !strings.Contains(c.Reason, want.reason) || want.reason == "" && c.Reason != "" {
			t.Errorf("%s: %s, %d rows, %q; want %+v", key, c.Outcome, c.Rows, c.Reason, want)
		}
		if c.Outcome == OK && c.Rows > 100 && (c.Blocks == 0 || c.Foreign == nil || *c.Foreign != 0) {
			t.Errorf("%s: %+v", key, c)
		}
	}
	if left, err := s.Query(context.Background(), "select (select count(*) from tickets)::text, (select count(*) from replies)::text"); err != nil || *left[0][0] != "2000" || *left[0][1] != "2000" {
		t.Errorf("rows were left changed: %v", err)
	}
	// Row 72: what anon pays for a policy that names no role.
	if c := got["anon 0 tickets select"]; c.WithTo == nil || c.WithTo.Blocks != 0 || c.Blocks == 0 {
		t.Errorf("anon with TO: %+v of %+v", c.WithTo, c)
	}
	if c := got["anon 0 replies select"]; c.WithTo != nil || c.Blocks != 0 {
		t.Errorf("anon on policies that have TO: %+v", c)
	}
}

// TestMatrixLeaks: one planted leak a verb is found, and nothing else.
func TestMatrixLeaks(t *testing.T) {
	for _, c := range []struct {
		name, plant, cell string
		foreign           int64
		o                 func(*MatrixOptions)
		outcome           string
	}{
		{name: "select", plant: "create policy wide on tickets for select using (shared)", cell: "tickets select", foreign: 20, outcome: Leak},
		{name: "insert", plant: "create policy wide on replies for insert with check (true)", cell: "replies insert", foreign: 1, outcome: Leak},
		{name: "update", plant: "create policy wide on replies for update using (org >= 'org1'); create policy see on replies for select using (true)", cell: "replies update", foreign: 1000, outcome: Leak},
		{name: "delete", plant: "create policy d on replies for delete using (org = org() or body <> ''); create policy see on replies for select using (true)", cell: "replies delete", foreign: 1500, outcome: Leak},
		{name: "named column", plant: "create policy wide on replies for select using (true); drop policy read on replies", cell: "replies select", foreign: 1500, outcome: Leak,
			o: func(o *MatrixOptions) { o.Tenant = "org" }},
		{name: "shown by date", plant: "create policy wide on tickets for select using (length(title) < 9 and now() > '2020-01-01')", cell: "tickets select", foreign: 6, outcome: Leak},
		{name: "ok_two_columns", plant: "alter table tickets add reader text; update tickets set reader = 'org1' where id % 8 = 0; create policy reads on tickets for select using (reader = org())",
			cell: "tickets select", outcome: OK},
		{name: "ok_members", plant: "create table members (org text, ticket bigint); insert into members select 'org1', i * 4 from generate_series(1, 30) i; create policy member on tickets for select using (id in (select ticket from members m where m.org = org()))",
			cell: "tickets select", outcome: OK},
		{name: "members and a leak", plant: "create table members (org text, ticket bigint); insert into members select 'org1', i * 4 from generate_series(1, 30) i; create policy member on tickets for select using (id in (select ticket from members m where m.org = org())); create policy wide on tickets for select using (shared)",
			cell: "tickets select", foreign: 19, outcome: Leak},
		{name: "ok_function_of_the_row", plant: "create function may(t tickets) returns boolean language sql stable as $$ select t.id < 100 $$; create policy f on tickets for select using (may(tickets))",
			cell: "tickets select", outcome: OK},
		{name: "limits_privileged", plant: "create policy staff on tickets for select using (org() is not null)", cell: "tickets select", outcome: Undecided},
		{name: "limits_no_column", plant: "create policy wide on replies for select using (true); drop policy read on replies", cell: "replies select", outcome: Undecided},
		{name: "shared on purpose", plant: "create policy wide on tickets for select using (shared)", cell: "tickets select", foreign: 20, outcome: OK,
			o: func(o *MatrixOptions) { o.Shared = []string{"tickets"} }},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := database(t, tickets+c.plant+";\n")
			o := twoOrgs
			if c.o != nil {
				c.o(&o)
			}
			got := matrix(t, s, o)
			cell := got["authenticated 1 "+c.cell]
			foreign := int64(0)
			if cell.Foreign != nil {
				foreign = *cell.Foreign
			}
			if cell.Outcome != c.outcome || foreign != c.foreign {
				t.Errorf("%s is %s: %s", c.cell, cell.Outcome, cell.Reason)
			}
			for key, other := range got {
				if other.Outcome == Leak && !strings.HasSuffix(key, c.cell) && !strings.HasSuffix(key, " select") {
					t.Errorf("%s leaks too: %s", key, other.Reason)
				}
			}
		})
	}
}

// TestMatrixWritesNothing: on a server that the user named no verb but select runs.
func TestMatrixWritesNothing(t *testing.T) {
	s := database(t, tickets)
	o := twoOrgs
	o.Writes, o.Own = false, false
	for key, c := range matrix(t, s, o) {
		if c.Verb != "select" && (c.Outcome != Undecided || c.Reason != notTried || c.MS != 0) {
			t.Errorf("%s: %+v", key, c)
		}
		if c.WithTo != nil {
			t.Errorf("%s: a policy was altered", key)
		}
	}
}

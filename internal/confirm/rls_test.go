package confirm_test

import (
	"context"
	"strings"
	"testing"

	"github.com/planvet/planvet/catalog"
	"github.com/planvet/planvet/internal/confirm"
	"github.com/planvet/planvet/internal/live"
	"github.com/planvet/planvet/internal/shadow"
	"github.com/planvet/planvet/internal/shadow/shadowtest"
	"github.com/planvet/planvet/rules"
)

const itemsSchema = `
create table items (id bigint generated always as identity primary key, team text not null check (team in ('a', 'b', 'c')), body text not null, tags jsonb not null);
create index items_team on items (team);
create index items_body on items (body);
create index items_tags on items using gin (tags);
create function allowed(item bigint) returns boolean language sql stable as $$ select item % 2 = 0 $$;
alter table items enable row level security;
create policy of_team on items for select using (team = (select current_setting('app.team', true)) and allowed(id));
`

// TestOtherClaims: an access path by the policy's column refutes neither a leak nor
// a function of each row.
func TestOtherClaims(t *testing.T) {
	ctx := context.Background()
	s, err := live.Connect(ctx, shadowtest.URL(t), live.Options{Writable: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close(ctx) })
	if _, err := s.Conn().PgConn().Exec(ctx, itemsSchema).ReadAll(); err != nil {
		t.Fatal(err)
	}
	cat, err := s.LoadCatalog(ctx)
	if err != nil {
		t.Fatal(err)
	}
	opts := confirm.Options{Server: s, MakeRows: func(ctx context.Context, tables []catalog.Name) (map[catalog.Name]int64, map[catalog.Name]string, error) {
		wanted, rows := map[catalog.Name]int64{}, map[catalog.Name]int64{}
		for _, n := range tables {
			wanted[n], rows[n] = 5000, 5000
		}
		_, err := shadow.MakeRows(ctx, s.Conn(), cat, wanted)
		return rows, nil, err
	}}
	leak := func(sql, column string) *rules.Probe {
		return &rules.Probe{
			Kind: rules.ProbeStatement, SQL: sql, Role: "app_user",
			Schema: "public", Table: "items", Alias: "items", Columns: []string{column},
		}
	}
	for _, c := range []struct {
		name, rule, index string
		probe             *rules.Probe
		want              rules.Status
		says              string
	}{
		{
			"ok_leak", "rls-leakproof", "items_tags", leak("select id from items where tags @> $1", "tags"),
			rules.Confirmed, "the owner gets Bitmap Heap Scan using items_tags on items and app_user gets Seq Scan on items",
		},
		{
			"err_leakproof", "rls-leakproof", "items_body", leak("select id from items where body = $1", "body"),
			rules.Refuted, "as app_user the planner has a condition on items_body",
		},
		{
			"limits_owner_neither", "rls-leakproof", "items_tags", leak("select id from items where tags <> $1", "tags"),
			rules.Inconclusive, "as the owner the planner has no condition on items_tags either",
		},
		{
			"limits_row_function", "rls-row-function", "",
			&rules.Probe{Kind: rules.ProbePolicy, Schema: "public", Table: "items", Policy: "of_team", Roles: []string{"app_user"}, Command: "select"},
			rules.Inconclusive, "no set form can be derived",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := rules.Finding{Rule: c.rule, Object: rules.Object{Index: c.index}, Probe: c.probe}
			fs, err := confirm.Confirm(ctx, cat, []rules.Finding{f}, opts)
			if err != nil {
				t.Fatal(err)
			}
			v := fs[0].Verdict
			if says := v.Reason + strings.Join(v.Facts, "; "); v.Status != c.want || !strings.Contains(says, c.says) {
				t.Errorf("got %s: %s; want %s: %s", v.Status, says, c.want, c.says)
			}
		})
	}
}

const filesSchema = `
create schema if not exists auth;
create or replace function auth.uid() returns uuid language sql stable as $$
  select (nullif(current_setting('request.jwt.claims', true), '')::json ->> 'sub')::uuid
$$;
create table files (id bigint generated always as identity primary key, owner text not null, shelf text not null);
alter table files enable row level security;
create policy own on files for select using (owner = auth.uid()::text or shelf = auth.uid()::text);
`

// TestIdentityIsUUID: auth.uid() fails on a sample that is no uuid, so that it is
// given one.
func TestIdentityIsUUID(t *testing.T) {
	ctx := context.Background()
	s, err := live.Connect(ctx, shadowtest.URL(t), live.Options{Writable: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close(ctx) })
	if _, err := s.Conn().PgConn().Exec(ctx, filesSchema+"insert into files (owner, shelf) select 'u' || i, 's' from generate_series(1, 3000) i").ReadAll(); err != nil {
		t.Fatal(err)
	}
	cat, err := s.LoadCatalog(ctx)
	if err != nil {
		t.Fatal(err)
	}
	f := rules.Finding{Rule: "rls-initplan", Probe: &rules.Probe{
		Kind: rules.ProbePolicy, Schema: "public", Table: "files", Policy: "own", Roles: []string{"app_user"}, Command: "select",
		Apply: []string{"alter policy own on files using (owner = (select auth.uid())::text or shelf = (select auth.uid())::text)"},
	}}
	fs, err := confirm.Confirm(ctx, cat, []rules.Finding{f}, confirm.Options{Server: s})
	if err != nil {
		t.Fatal(err)
	}
	v := fs[0].Verdict
	if v.Level != rules.Measured || v.Settings["request.jwt.claim.sub"] != "00000000-0000-4000-8000-000000000001" {
		t.Errorf("got %s, %s, settings %v", v.Level, v.Reason, v.Settings)
	}
}

const roomsSchema = `
create function tenant() returns text language plpgsql stable as $$
begin
  if current_setting('app.tenant', true) is null then
    raise exception 'no tenant';
  end if;
  return current_setting('app.tenant');
end $$;
create function memberships() returns jsonb language sql stable as $$ select current_setting('app.members')::jsonb $$;
create table rooms (id bigint generated always as identity primary key, tenant text not null);
alter table rooms enable row level security;
create policy own on rooms for select using (tenant = tenant());
create table seats (id bigint generated always as identity primary key, room text not null);
alter table seats enable row level security;
create policy own on seats for select using (memberships() ->> room = 'member');
insert into rooms (tenant) select 't' || i % 20 from generate_series(1, 5000) i;
insert into seats (room) select 'r' || i % 20 from generate_series(1, 5000) i;
`

// TestSettingsInFunctions: a plpgsql function's setting takes a value of the column
// that it is compared with, and one that is read as JSON is given JSON.
func TestSettingsInFunctions(t *testing.T) {
	ctx := context.Background()
	s, err := live.Connect(ctx, shadowtest.URL(t), live.Options{Writable: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close(ctx) })
	if _, err := s.Conn().PgConn().Exec(ctx, roomsSchema).ReadAll(); err != nil {
		t.Fatal(err)
	}
	cat, err := s.LoadCatalog(ctx)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ table, apply, setting, begins string }{
		{"rooms", "alter policy own on rooms using (tenant = (select tenant()))", "app.tenant", "t"},
		{"seats", "alter policy own on seats using ((select memberships()) ->> room = 'member')", "app.members", "{"},
	} {
		f := rules.Finding{Rule: "rls-initplan", Probe: &rules.Probe{
			Kind: rules.ProbePolicy, Schema: "public", Table: c.table, Policy: "own", Roles: []string{"app_user"}, Command: "select", Apply: []string{c.apply},
		}}
		fs, err := confirm.Confirm(ctx, cat, []rules.Finding{f}, confirm.Options{Server: s})
		if err != nil {
			t.Fatal(err)
		}
		if v := fs[0].Verdict; v.Level != rules.Measured || !strings.HasPrefix(v.Settings[c.setting], c.begins) {
			t.Errorf("%s: got %s, %s, settings %v", c.table, v.Level, v.Reason, v.Settings)
		}
	}
}

package explain

import (
	"strings"
	"testing"
)

// players have a tenant each, and a search by name that only an expression index
// serves.
const players = platform + `
create function app_tenant() returns int language sql stable as $$ select current_setting('app.tenant')::int $$;
create function app_may(tenant int) returns boolean language plpgsql stable as $$ begin return tenant = current_setting('app.tenant')::int; end $$;
create table players (id int primary key, tenant_id int not null, name text not null, filler text not null);
insert into players select i, i % 20, 'Player ' || i, repeat('x', 50) from generate_series(1, 20000) i;
create index players_name on players (lower(name));
alter table players enable row level security;
create policy mine on players for select to authenticated using (%s);
grant select on players to authenticated;
`

// TestPolicyCalls is row 70: a call in a policy is in a filter, once a row, or in an
// InitPlan, once; functions in SQL are put in line, so that their name is not there.
func TestPolicyCalls(t *testing.T) {
	for _, c := range []struct {
		name, using, message, advice string
	}{
		{"err_bare", "tenant_id = app_tenant()", `policy "mine" of players calls app_tenant() for each of 20,000 rows`, "write (select app_tenant()) in the policy"},
		{"err_setting", "tenant_id = current_setting('app.tenant')::int", `policy "mine" of players calls current_setting(`, "write (select current_setting("},
		{"err_of_row", "app_may(tenant_id)", `policy "mine" of players calls app_may(tenant_id) for each of 20,000 rows`, "turn the policy round"},
		{"ok_wrapped", "tenant_id = (select app_tenant())", "", ""},
		{"ok_no_call", "tenant_id = 3", "", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := newBench(t, strings.Replace(players, "%s", c.using, 1), "vacuum analyze players")
			b.role = "authenticated"
			root, findings, _, p := b.diagnosed("select count(*) from players", "set local app.tenant = '3';", true)
			f := heuristicOf(findings, "policy-call-per-row")
			if c.message == "" {
				if f != nil {
					t.Errorf("%s\n%s", said(findings), drawing(root))
				}
				return
			}
			if f == nil || !strings.HasPrefix(f.Message, c.message) || !strings.HasPrefix(f.Advice, c.advice) || root.all()[f.Step-1].Relation != "public.players" {
				t.Errorf("want %s; %s\n%s\n%s", c.message, c.advice, said(findings), drawing(root))
			}
			// The owner is not bound by the policy.
			facts := &Facts{SQL: "select count(*) from players", Catalog: b.schema()}
			if findings, _ := diagnose(p, tree(p), facts); heuristicOf(findings, "policy-call-per-row") != nil {
				t.Errorf("as the owner: %s", said(findings))
			}
		})
	}
}

// TestLeakproofDemotion is row 71: lower(name) = is not leakproof, so that the index
// on it is not searched by a role with policies. The owner searches it.
func TestLeakproofDemotion(t *testing.T) {
	b := newBench(t, strings.Replace(players, "%s", "tenant_id = (select app_tenant())", 1), "vacuum analyze players")
	const sql = "select * from players where lower(name) = 'player 23'"
	root, findings, _, _ := b.diagnosed(sql, "set local app.tenant = '3';", true)
	if len(findings) > 0 || !strings.Contains(drawing(root), "players_name") {
		t.Errorf("as the owner: %s\n%s", said(findings), drawing(root))
	}
	b.role = "authenticated"
	root, findings, _, _ = b.diagnosed(sql, "set local app.tenant = '3';", true)
	f := heuristicOf(findings, "leakproof-demotion")
	if f == nil || !strings.Contains(f.Message, "cannot use players_name for authenticated: lower is not leakproof") || !strings.Contains(f.Advice, "security definer") {
		t.Errorf("as authenticated: %s\n%s", said(findings), drawing(root))
	}
	if strings.Contains(strings.ToLower(said(findings)), "alter function") {
		t.Errorf("a function is never made leakproof by hand: %s", said(findings))
	}
	if heuristicOf(findings, "wrapped-column") != nil {
		t.Errorf("what the policies keep from the index has a second finding: %s", said(findings))
	}
	b.exec("create index on players (tenant_id)")
	root, findings, _, _ = b.diagnosed(sql, "set local app.tenant = '3';", true)
	if len(findings) != 1 || findings[0].Heuristic != "leakproof-demotion" {
		t.Errorf("with an index for the policy the demotion is all there is to say: %s\n%s", said(findings), drawing(root))
	}
}

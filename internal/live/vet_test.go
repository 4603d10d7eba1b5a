package live_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/planvet/planvet/internal/live"
	"github.com/planvet/planvet/internal/plan"
)

const vetSetup = `
	create table t (id int primary key, name text, n int);
	insert into t select g, 'n' || g, g % 7 from generate_series(1, 100) g;
	create table hit (at timestamptz default now());
	create sequence seq;
	create function writes() returns int language plpgsql volatile as $$ begin insert into hit default values; return 1; end $$;
	create function pure(i int) returns int language sql immutable as 'select $1 + 1';
	create function pureplpgsql(i int) returns int language plpgsql stable as $$ declare r int; begin select count(*) into r from t where n = i; return r; end $$;
	create function liar() returns boolean language sql stable as 'select pg_terminate_backend(1)';
	create function liarplpgsql() returns boolean language plpgsql stable as $$ begin return PG_CATALOG . "pg_terminate_backend" (1); end $$;
	create function raising() returns int language plpgsql stable as $$ begin raise notice '%', pg_terminate_backend(1); return 1; end $$;
	create function dynamic() returns int language plpgsql stable as $$ declare r int; begin execute 'select pg_backend_pid()' into r; return r; end $$;
	create function deeper() returns boolean language sql stable as 'select liar()';
	create function defaulted(a int default writes()) returns int language sql stable as 'select 1';
	create function field(r t) returns int language plpgsql volatile as $$ begin insert into hit default values; return 1; end $$;
	create function throughfield() returns bigint language sql stable as 'select sum(x.field) from t x';
	create view hidden as select id from t where pg_advisory_lock(id) is not null;
	create function throughview() returns bigint language sql stable as 'select count(*) from hidden';
	create aggregate sums(int) (sfunc = int4pl, stype = int);
	create function step(a int, b int) returns int language plpgsql volatile as $$ begin insert into hit default values; return 1; end $$;
	create aggregate writingsums(int) (sfunc = step, stype = int);
	create function opf(a int, b text) returns boolean language plpgsql volatile as $$ begin insert into hit default values; return true; end $$;
	create operator ### (leftarg = int, rightarg = text, function = opf);
`

const vetPolicy = `
	create table p (id int primary key, tenant int);
	alter table p enable row level security;
	create policy own on p using (writes() = 1);
	create role vetreader;
	grant select on p to vetreader;
`

// What may run and what may not, by what the statement reaches.
func TestVet(t *testing.T) {
	s := session(t, live.Options{}, vetSetup+vetPolicy)
	ctx := context.Background()
	for sql, why := range map[string]string{
		"select * from t where id = $1":                                  "",
		"select count(*), max(lower(name)) from t group by n order by 1": "",
		"select * from t tablesample system (10)":                        "",
		"select * from t tablesample bernoulli (10) repeatable (1)":      "",
		"select relname, n_live_tup from pg_stat_user_tables":            "",
		"select * from information_schema.columns":                       "",
		"select random(), clock_timestamp(), now()":                      "",
		"select pure(n), pureplpgsql(n) from t":                          "",
		"select pure(n), sums(n) from t group by 1":                      "",
		"select writes()":                                                       "public.writes",
		"select id from t where writes() = 1":                                   "public.writes",
		"select pg_terminate_backend(1)":                                        "pg_terminate_backend",
		"select pg_cancel_backend(pid) from pg_stat_activity":                   "pg_cancel_backend",
		"select pg_advisory_lock(1)":                                            "pg_advisory_lock",
		"select pg_try_advisory_xact_lock(1)":                                   "pg_try_advisory_xact_lock",
		"select pg_read_file('/etc/passwd')":                                    "pg_read_file",
		"select lo_import('/etc/passwd')":                                       "lo_import",
		"select nextval('seq')":                                                 "nextval",
		"select setval('seq', 1)":                                               "setval",
		"select set_config('work_mem', '1MB', false)":                           "set_config",
		"select pg_sleep(60)":                                                   "pg_sleep",
		"select pg_sleep_for('60 s')":                                           "pg_sleep",
		"select pg_reload_conf()":                                               "pg_reload_conf",
		"select pg_switch_wal()":                                                "pg_switch_wal",
		"select query_to_xml('select 1', true, true, '')":                       "query_to_xml",
		"select table_to_xml('hidden', true, true, '')":                         "table_to_xml",
		"select liar()":                                                         "pg_terminate_backend",
		"select liarplpgsql()":                                                  "pg_terminate_backend",
		"select raising()":                                                      "pg_terminate_backend",
		"select deeper()":                                                       "pg_terminate_backend",
		"select dynamic()":                                                      "looked into",
		"select defaulted()":                                                    "public.writes",
		"select x.field from t x":                                               "public.field",
		"select throughfield()":                                                 "public.field",
		"select * from hidden":                                                  "pg_advisory_lock",
		"select throughview()":                                                  "pg_advisory_lock",
		"select writingsums(n) from t":                                          "public.step",
		"select * from t where id ### name":                                     "public.opf",
		"with w as (delete from t returning id) select * from w":                "writes",
		"select * from t for update":                                            "locks rows",
		"insert into t values (1000)":                                           "writes",
		"select (select pg_terminate_backend(1)) from t limit 0":                "pg_terminate_backend",
		"select case when false then pg_terminate_backend(1) end":               "pg_terminate_backend",
		"select * from generate_series(1, pg_advisory_unlock_all()::text::int)": "pg_advisory_unlock_all",
		"select t.* from t, lateral pg_ls_dir('.') d":                           "pg_ls_dir",
	} {
		_, err := s.Vet(ctx, plan.Request{SQL: sql}, live.VetOptions{})
		var refused *live.Refusal
		switch {
		case why == "" && err != nil:
			t.Errorf("%s: %v", sql, err)
		case why != "" && !errors.As(err, &refused):
			t.Errorf("%s: not refused: %v", sql, err)
		case why != "" && !strings.Contains(err.Error(), why):
			t.Errorf("%s: refused, but not for %s: %v", sql, why, err)
		}
		_, err = s.Explain(ctx, plan.Request{SQL: sql, Generic: true, Analyze: true, Timeout: time.Second})
		if ran := err == nil; ran != (why == "") {
			t.Errorf("%s: ran: %v (%v)", sql, ran, err)
		}
	}
	// Also what was planned before.
	for range 2 {
		if _, err := s.Vet(ctx, plan.Request{SQL: "select count(*) from t"}, live.VetOptions{}); err != nil {
			t.Errorf("asked again: %v", err)
		}
	}
	// As a role whose policies call what the owner's do not.
	if _, err := s.Vet(ctx, plan.Request{SQL: "select * from p"}, live.VetOptions{}); err != nil {
		t.Errorf("as the owner: %v", err)
	}
	if _, err := s.Vet(ctx, plan.Request{SQL: "select * from p", Role: "vetreader"}, live.VetOptions{}); err == nil || !strings.Contains(err.Error(), "writes") {
		t.Errorf("as the role: %v", err)
	}
	if _, err := s.Explain(ctx, plan.Request{SQL: "select * from p", Role: "vetreader", Analyze: true}); err == nil {
		t.Error("what was vetted as the owner ran as the role")
	}
}

// What the user vouches for is not looked at, what is built in never vouched for.
func TestVetAllows(t *testing.T) {
	s := session(t, live.Options{}, vetSetup)
	ctx := context.Background()
	for _, name := range []string{"writes", "public.writes"} {
		if _, err := s.Vet(ctx, plan.Request{SQL: "select writes()"}, live.VetOptions{Allow: []string{name}}); err != nil {
			t.Errorf("--allow-functions %s: %v", name, err)
		}
	}
	if _, err := s.Vet(ctx, plan.Request{SQL: "select pg_terminate_backend(1)"}, live.VetOptions{Allow: []string{"pg_terminate_backend"}}); err == nil {
		t.Error("a built-in function was vouched for")
	}
	// Once vetted it runs, and READ ONLY still holds.
	if _, err := s.Explain(ctx, plan.Request{SQL: "select writes()", Analyze: true}); live.Code(err) != "25006" {
		t.Errorf("a function that writes, vouched for: %v", err)
	}
}

// A body casts without a word of it, so every cast by a function counts there; in the
// statement itself casts are told exactly.
func TestVetCasts(t *testing.T) {
	s := session(t, live.Options{}, vetSetup+`
		create function textof(t) returns text language plpgsql volatile as $$ begin insert into hit default values; return ''; end $$;
		create cast (t as text) with function textof(t);
		create domain checked as int check (writes() = value);`)
	ctx := context.Background()
	for sql, refused := range map[string]bool{
		"select x::text from t x":           true,
		"select id::text from t":            true, // the domain may be met anywhere
		"select pure(n) from t":             true,
		"select id::bigint::checked from t": true,
	} {
		_, err := s.Vet(ctx, plan.Request{SQL: sql}, live.VetOptions{})
		if got := err != nil; got != refused {
			t.Errorf("%s: %v", sql, err)
		}
	}
	if _, err := s.Vet(ctx, plan.Request{SQL: "select id::text from t"}, live.VetOptions{Allow: []string{"writes"}}); err != nil {
		t.Error(err)
	}
}

// A planner runs functions that are not volatile: those that reach beyond their
// transaction are kept from it, and nothing else is.
func TestVetPlanning(t *testing.T) {
	s := session(t, live.Options{}, vetSetup+`
		create function nap() returns int language plpgsql volatile as $$ begin perform pg_sleep(60); return 1; end $$;
		create function callsnap() returns int language plpgsql stable as $$ begin return nap(); end $$;
		create function callswrites() returns int language plpgsql stable as $$ begin return writes(); end $$;`)
	ctx := context.Background()
	for sql, why := range map[string]string{
		"select * from t where liar()":           "pg_terminate_backend",
		"select * from t where liarplpgsql()":    "pg_terminate_backend",
		"select raising()":                       "pg_terminate_backend",
		"select deeper()":                        "pg_terminate_backend",
		"select pg_terminate_backend(1), liar()": "public.liar calls pg_terminate_backend",
		"select callsnap()":                      "public.callsnap calls public.nap",
		"select pg_terminate_backend(1)":         "", // volatile: not run by a planner
		"select nap()":                           "",
		"select callswrites()":                   "", // READ ONLY stops it
		"select dynamic()":                       "",
		"select pure(n), pureplpgsql(n) from t":  "",
		"update t set n = pure(n) where id = $1": "",
		"select * from t tablesample system (1)": "",
	} {
		err := s.VetPlanning(ctx, plan.Request{SQL: sql}, live.VetOptions{})
		if why == "" && err != nil || why != "" && (err == nil || !strings.Contains(err.Error(), why)) {
			t.Errorf("%s: %v, want %q", sql, err, why)
		}
	}
	if err := s.VetPlanning(ctx, plan.Request{SQL: "select liar()"}, live.VetOptions{Allow: []string{"liar"}}); err != nil {
		t.Errorf("vouched for: %v", err)
	}
}

// A statement that was described before, or let pass as another role, is looked at anew.
func TestVetAgain(t *testing.T) {
	s := session(t, live.Options{}, vetSetup+strings.ReplaceAll(vetPolicy, "vetreader", "vetagain"))
	ctx := context.Background()
	r := plan.Request{SQL: "select id from p"}
	if _, err := s.ParamTypes(ctx, r.SQL); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if _, err := s.Vet(ctx, r, live.VetOptions{}); err != nil {
			t.Errorf("as the owner: %v", err)
		}
	}
	r.Role = "vetagain"
	if _, err := s.Vet(ctx, r, live.VetOptions{}); err == nil || !strings.Contains(err.Error(), "writes") {
		t.Errorf("as a role whose policy writes: %v", err)
	}
}

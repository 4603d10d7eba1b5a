package builtin_test

import (
	"context"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/planvet/planvet/catalog/builtin"
	"github.com/planvet/planvet/internal/shadow/shadowtest"
)

// TestServer compares the tables with a server of that version: every operator, and
// the operator that the server itself picks for operands that do not fit exactly.
func TestServer(t *testing.T) {
	ctx := t.Context()
	conn, err := pgx.Connect(ctx, shadowtest.URL(t))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.Background())
	facts := builtin.For(shadowtest.Server(t).Major())
	rows, err := conn.Query(ctx, `select o.oprname::text, case when o.oprleft <> 0 then format_type(o.oprleft, null) else '' end,
		format_type(o.oprright, null), p.proname::text, p.proleakproof, p.proisstrict
		from pg_operator o join pg_proc p on p.oid = o.oprcode where o.oprright <> 0 and o.oprresult <> 0`)
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for rows.Next() {
		var want builtin.Op
		if err := rows.Scan(&want.Name, &want.Left, &want.Right, &want.Function, &want.Leakproof, &want.Strict); err != nil {
			t.Fatal(err)
		}
		n++
		got, ok := facts.Operator(want.Name, want.Left, want.Right)
		if !ok || got.Function != want.Function || got.Leakproof != want.Leakproof || got.Strict != want.Strict {
			t.Errorf("%s %s %s: %+v, the server has %+v", want.Left, want.Name, want.Right, got, want)
		}
	}
	if err := rows.Err(); err != nil || n < 700 {
		t.Fatalf("%d operators: %v", n, err)
	}
}

// TestServerResolves asks a server which operator it takes for columns of every
// pair of common types: its plan shows the casts that it adds.
func TestServerResolves(t *testing.T) {
	ctx := t.Context()
	conn, err := pgx.Connect(ctx, shadowtest.URL(t))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.Background())
	facts := builtin.For(shadowtest.Server(t).Major())
	types := []string{"text", "character varying", "name", "smallint", "integer", "bigint", "numeric", "real", "double precision",
		"date", "timestamp without time zone", "timestamp with time zone", "interval", "uuid", "jsonb", "text[]", "integer[]",
		"boolean", "inet", "tsvector", "oid", "int4range", "tstzrange", "bytea"}
	if _, err := conn.Exec(ctx, `create function cast_of(op text, l text, r text) returns text language plpgsql as $$
		declare plan json; begin
			execute format('explain (verbose, format json) select a %s b from (select null::%s, null::%s offset 0) as v(a, b)', op, l, r) into plan;
			return plan->0->'Plan'->'Output'->>0;
		exception when undefined_function or ambiguous_function then return null; end $$`); err != nil {
		t.Fatal(err)
	}
	known := 0
	for _, op := range []string{"=", "<", "~~", "@>", "&&", "->>"} {
		for _, l := range types {
			for _, r := range types {
				var plan *string
				if err := conn.QueryRow(ctx, "select cast_of($1, $2, $3)", op, l, r).Scan(&plan); err != nil {
					t.Fatal(err)
				}
				got, ok := facts.Resolve(op, l, r)
				if ok != (plan != nil) {
					t.Errorf("%s %s %s: %v, the server plans %v", l, op, r, ok, plan != nil)
				}
				if !ok || plan == nil {
					continue
				}
				known++
				if want := operand(l, got.Left, "v.a") + " " + op + " " + operand(r, got.Right, "v.b"); *plan != "("+want+")" {
					t.Errorf("%s %s %s: %s, the server plans %s", l, op, r, want, *plan)
				}
			}
		}
	}
	if known < 100 {
		t.Errorf("only %d pairs have an operator", known)
	}
}

// operand is a column as a plan prints it, with the cast to the operator's type.
func operand(have, want, column string) string {
	if have == want || len(want) > 3 && want[:3] == "any" {
		return column
	}
	return "(" + column + ")::" + want
}

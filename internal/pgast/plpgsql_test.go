package pgast

import (
	"fmt"
	"strings"
	"testing"
)

// plText lists the statements of a body, with their marks, one a line.
func plText(b PLBody) string {
	var out strings.Builder
	for _, s := range b.Stmts {
		var marks []string
		for _, m := range []struct {
			on   bool
			name string
		}{{s.Loop, "loop"}, {s.Branch, "branch"}, {s.Execute, "execute"}, {s.Dynamic, "dynamic"}, {s.Err != nil, "err"}} {
			if m.on {
				marks = append(marks, m.name)
			}
		}
		text := strings.Join(strings.Fields(s.Text), " ")
		if s.Stmt != nil {
			if f := Format(s.Stmt); f != "" {
				text = f
			}
		}
		fmt.Fprintf(&out, "[%s] %s\n", strings.Join(marks, " "), text)
	}
	return out.String()
}

func TestPLpgSQL(t *testing.T) {
	fn := &CreateFunction{Name: Name{Name: "fn"}, Args: []FuncArg{{Mode: "in", Name: "p_id", Type: TypeName{Names: []string{"uuid"}}},
		{Mode: "table", Name: "total", Type: TypeName{Names: []string{"pg_catalog", "int8"}}}}}
	for _, c := range []struct{ name, body, want string }{
		{"plain", `BEGIN UPDATE t SET a = p_id WHERE id = fn.p_id; RETURN; END`, "[] UPDATE t SET a = $1 WHERE id = $1\n"},
		{"declared", `
DECLARE
  x int := 1; y CONSTANT text DEFAULT 'a'; r posts%ROWTYPE; z numeric(10, 2);
BEGIN
  SELECT a, b INTO STRICT x, r.y FROM t WHERE c = x;
  SELECT INTO z max(q) FROM t;
  INSERT INTO t (a) VALUES (x) RETURNING a INTO x;
  x := (SELECT count(*) FROM u WHERE k = r.k);
  x = x + 1;
  PERFORM f(x), g(z) FROM t;
  RETURN QUERY SELECT count(*) AS total FROM t GROUP BY total ORDER BY total;
END;`, `[] SELECT 1
[] SELECT 'a'
[] SELECT a, b FROM t WHERE c = $3
[] SELECT max(q) FROM t
[] INSERT INTO t (a) VALUES ($3) RETURNING a
[] SELECT (SELECT count(*) FROM u WHERE k = $7)
[] SELECT $3 + 1
[] SELECT f($3), g($6) FROM t
[] SELECT count(*) AS total FROM t GROUP BY total ORDER BY total
`},
		{"control", `
<<outer>>
BEGIN
  IF EXISTS (SELECT 1 FROM t) AND CASE WHEN true THEN true END THEN
    DELETE FROM a;
  ELSIF p_id IS NULL THEN
    DELETE FROM b;
  ELSE
    FOR i IN REVERSE 10..1 BY 2 LOOP
      UPDATE c SET x = i;
      EXIT WHEN i > 3;
    END LOOP;
  END IF;
  FOR rec IN SELECT id, name FROM d LOOP
    INSERT INTO e VALUES (rec.id, rec.name);
  END LOOP outer;
  WHILE (SELECT count(*) FROM f) > 0 LOOP NULL; END LOOP;
  LOOP DELETE FROM g; EXIT; END LOOP;
  CASE p_id WHEN 'a' THEN DELETE FROM h; ELSE DELETE FROM i; END CASE;
  BEGIN
    DELETE FROM j;
  EXCEPTION WHEN unique_violation OR others THEN
    DELETE FROM k;
    RAISE EXCEPTION 'x %', p_id USING HINT = 'y';
  END;
  DELETE FROM l;
END outer;`, `[] SELECT EXISTS (SELECT 1 FROM t) AND CASE WHEN true THEN true END
[branch] DELETE FROM a
[branch] SELECT $1 IS NULL
[branch] DELETE FROM b
[branch] SELECT 10
[branch] SELECT 1
[loop branch] UPDATE c SET x = $3
[loop branch] SELECT $3 > 3
[] SELECT id, name FROM d
[loop] INSERT INTO e VALUES ($5, $6)
[loop] SELECT (SELECT count(*) FROM f) > 0
[loop] DELETE FROM g
[branch] SELECT 'a'
[branch] DELETE FROM h
[branch] DELETE FROM i
[] DELETE FROM j
[branch] DELETE FROM k
[] DELETE FROM l
`},
		{"execute", `
DECLARE
  tbl text; tables text[] := ARRAY['a', 'B b']; q text := 'drop table z'; changed text := 'x';
BEGIN
  EXECUTE 'create index i on t (a)';
  EXECUTE $sql$ create policy p on t using (x = 'y'); select 1 $sql$;
  EXECUTE format('alter table %I add column %s text default %L', 'My', 'c', 'it''s') USING 1;
  FOREACH tbl IN ARRAY tables LOOP
    EXECUTE format('alter table %I enable row level security', tbl);
    EXECUTE 'drop policy if exists p on ' || quote_ident(tbl);
  END LOOP;
  FOR tbl IN SELECT unnest(array['x', 'y']) LOOP EXECUTE 'truncate ' || tbl INTO q; END LOOP;
  FOR tbl IN SELECT relname FROM pg_class LOOP EXECUTE 'vacuum ' || tbl; END LOOP;
  changed := 'y';
  EXECUTE changed;
  RETURN QUERY EXECUTE 'select 1 where $1' USING p_id;
  OPEN cur FOR SELECT 2;
END`, `[] SELECT ARRAY['a', 'B b']
[] SELECT 'drop table z'
[] SELECT 'x'
[execute] create index i on t (a)
[execute] create policy p on t using (x = 'y')
[execute] SELECT 1
[execute] alter table "My" add column c text default 'it''s'
[] SELECT $4
[loop execute] alter table a enable row level security
[loop execute] alter table "B b" enable row level security
[loop execute] drop policy if exists p on a
[loop execute] drop policy if exists p on "B b"
[] SELECT unnest(ARRAY['x', 'y'])
[loop execute] truncate x
[loop execute] truncate y
[] SELECT relname FROM pg_class
[loop execute dynamic] 'vacuum ' || tbl
[] SELECT 'y'
[execute dynamic] changed
[execute] SELECT 1 WHERE $1
[] SELECT 2
`},
		{"trigger", `BEGIN IF TG_OP = 'INSERT' AND NEW.a <> OLD.a THEN NEW.b := now(); END IF; INSERT INTO log SELECT new.id, t.id FROM t WHERE t.x = NEW.x; RETURN NEW; END`,
			"[] SELECT $3 = 'INSERT' AND $4 <> $5\n[branch] SELECT now()\n[] INSERT INTO log SELECT $6, t.id FROM t WHERE t.x = $7\n[] SELECT $8\n"},
		{"use-column", "#variable_conflict use_column\nBEGIN DELETE FROM t WHERE p_id = 1; END", "[] DELETE FROM t WHERE p_id = 1\n"},
		{"broken", `BEGIN SELEC 1; DELETE FROM t; IF x THEN SELECT (1; END IF; DELETE FROM u; END`,
			"[err] SELEC 1\n[] DELETE FROM t\n[] SELECT x\n[branch err] SELECT (1\n[] DELETE FROM u\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			b, err := PLpgSQL(fn, c.body)
			if err != nil {
				t.Fatal(err)
			}
			if got := plText(b); got != c.want {
				t.Errorf("got\n%s\nwant\n%s", got, c.want)
			}
			for _, s := range b.Stmts {
				checkPlaces(t, c.body, s)
			}
		})
	}
}

// checkPlaces finds the tables of a statement at their places in the body.
func checkPlaces(t *testing.T, body string, s PLStmt) {
	t.Helper()
	if s.Err != nil && (s.Err.Offset < 0 || s.Err.Offset > len(body)) {
		t.Errorf("error outside of the body: %+v", s.Err)
	}
	if s.Stmt == nil || s.Offset < 0 {
		return
	}
	Walk(s.Stmt, func(n Node) bool {
		x, ok := n.(*Table)
		if !ok {
			return true
		}
		if rest := strings.TrimPrefix(body[s.Offset+x.Pos():], `"`); !strings.HasPrefix(rest, x.Name) && (x.Schema == "" || !strings.HasPrefix(rest, x.Schema)) {
			t.Errorf("%s: %s is not at %d", s.Text, x.Name, s.Offset+x.Pos())
		}
		return true
	})
}

func TestPLpgSQLRefuses(t *testing.T) {
	for _, body := range []string{"", "select 1", "BEGIN 'x", "BEGIN $a$ x", "/* x"} {
		if _, err := PLpgSQL(nil, body); err == nil {
			t.Errorf("%q: no error", body)
		}
	}
}

package pgast

import "testing"

func TestFingerprint(t *testing.T) {
	for _, c := range []struct {
		a, b string
		same bool
	}{
		{"select * from t where a = 1", "SELECT  *\nfrom t -- x\n where a = $1", true},
		{"select * from t where a = 1", "select * from t where a = -1", true},
		{"select a as x, b from t y where y.a = 'z'", "select a, b as q from t where t.a = ''", true},
		{"select x.a from t x join t y on x.a = y.b", "select p.a from t p join t q on p.a = q.b", true},
		{"select x.a from t x join t y on x.a = y.b", "select p.a from t p join t q on q.a = p.b", false},
		{"select * from t where a in (1, 2)", "select * from t where a in ($1, $2, $3)", true},
		{"select * from t where a in (1, 2)", "select * from t where a in (1)", true},
		{"select * from t where a in (1, 2)", "select * from t where a = any ($1)", false},
		{"select * from t where a in (1)", "select * from t where a = 1", false},
		{"select * from t where a = any (array[1, 2])", "select * from t where a = any (array[1])", true},
		{"select * from t where a = any ($1)", "select * from t where a = all ($1)", false},
		{"select * from t where a = 1", "select * from t where a < 1", false},
		{"select * from t where a = 1", "select * from u where a = 1", false},
		{"select * from t where a = 1", "select * from s.t where a = 1", false},
		{"select * from t where a = 1", "select * from t where b = 1", false},
		{"select * from t where a = null", "select * from t where a = 1", false},
		{"insert into t (a, b) values (1, 2)", "insert into t (a, b) values (3, 4), (5, 6), ($1, 'x')", true},
		{"insert into t (a, b) values (1, 2)", "insert into t (a, b) values (1, default)", false},
		{"update t set a = 1 where b = 2", "update t set a = $1 where b = $2", true},
		{"update t set a = 1 where b = 2", "delete from t where b = 2", false},
		{"select 1 limit 5", "select 1 limit $1", true},
		{"create index on t (a)", "create  index on t(a)", true},
		{"create index on t (a)", "create index on t (b)", false},
		{"create table t (a int)", "create table t (a text)", false},
		{"create view v as select 1", "create view v as select 2", true},
		{"explain select 1", "explain select 2", true},
		{"vacuum t", "vacuum  t", true},
	} {
		a, b := Fingerprint(mustParse(t, c.a)), Fingerprint(mustParse(t, c.b))
		if len(a) != 16 || (a == b) != c.same {
			t.Errorf("%s\n%s\n%s %s, want same %v", c.a, c.b, a, b, c.same)
		}
	}
	if Fingerprint(nil) == "" {
		t.Error("nil has no fingerprint")
	}
}

func TestPGFingerprint(t *testing.T) {
	a, err := PGFingerprint("select * from t where a = 1")
	b, err2 := PGFingerprint("select  * from t where a = $1")
	if err != nil || err2 != nil || a != b || len(a) != 16 {
		t.Errorf("%s %v, %s %v", a, err, b, err2)
	}
	if _, err := PGFingerprint("selec 1"); err == nil {
		t.Error("no error")
	}
}

package monitor_test

import (
	"strings"
	"testing"

	"github.com/planvet/planvet/internal/monitor"
)

func TestParseTargets(t *testing.T) {
	env := func(name string) (string, bool) { return "s3cret", name == "PW" }
	got, err := monitor.ParseTargets("fleet.txt", strings.NewReader(`
# the two of them
app-1   postgres://u:${PW}@db1:5433/app
app_2	host=db2 dbname=app password=${PW}
app-3 postgres://db3/app pgbouncer=postgres://u:${PW}@db3:6432/pgbouncer supavisor=http://db3/metrics  supavisor-token=${PW}
app-4 host=db4  pgbouncer=postgres://db4/pgbouncer dbname=app
`), env)
	if err != nil || len(got) != 4 || got[2] != (monitor.Named{Name: "app-3", URL: "postgres://db3/app", PgBouncer: "postgres://u:s3cret@db3:6432/pgbouncer", Supavisor: "http://db3/metrics", Token: "s3cret"}) ||
		got[3] != (monitor.Named{Name: "app-4", URL: "host=db4  dbname=app", PgBouncer: "postgres://db4/pgbouncer"}) || got[0] != (monitor.Named{Name: "app-1", URL: "postgres://u:s3cret@db1:5433/app"}) ||
		got[1] != (monitor.Named{Name: "app_2", URL: "host=db2 dbname=app password=s3cret"}) {
		t.Fatalf("got %q, %v", got, err)
	}
	for text, want := range map[string]string{
		"postgres://u:s3cret@db/app":                                   "fleet.txt:1: a line is NAME URL",
		"# one\na postgres://db/app\na postgres://db/other":            "fleet.txt:3: a is the name of line 2 too",
		"\na postgres://db/a pgbouncr=postgres://u:s3cret@b/pgbouncer": "fleet.txt:2: unknown key \"pgbouncr\" of a; did you mean \"pgbouncer\"?",
		"a host=db supavisr=http://x/":                                 "fleet.txt:1: unknown key \"supavisr\" of a; did you mean \"supavisor\"?",
		"a postgres://db/a what=1":                                     "fleet.txt:1: unknown key \"what\" of a: behind the URL",
		"a postgres://db/a pgbouncer=postgres://u:s3cret@b:x/b":        "fleet.txt:1: pgbouncer of a cannot be read",
		"a postgres://db/a supavisor-token=s3cret":                     "fleet.txt:1: supavisor-token of a stands without",
		"a":                                     "fleet.txt:1: a has no URL",
		"a postgres://u:s3cret@db:port/app":     "fleet.txt:1: the URL of a cannot be read",
		"a postgres://u:s3cret${NOT_SET}@db/ap": "fleet.txt:1: ${NOT_SET} of a is not in the environment",
		"\nb postgres://u:${PW}@db:x/app":       "fleet.txt:2: the URL of b cannot be read",
	} {
		_, err := monitor.ParseTargets("fleet.txt", strings.NewReader(text), env)
		if err == nil || !strings.HasPrefix(err.Error(), want) || strings.Contains(err.Error(), "s3cret") {
			t.Errorf("%q: got %v, want %s", text, err, want)
		}
	}
}

func TestNameTargets(t *testing.T) {
	got, err := monitor.NameTargets([]string{"postgres://u:s3cret@db1/app", "postgres://db1:6543/app", "postgres://other@db1/app"})
	if err != nil || len(got) != 3 || got[0].Name != "db1/app" || got[1].Name != "db1:6543/app" || got[2].Name != "db1/app#2" {
		t.Errorf("got %+v, %v", got, err)
	}
	if _, err := monitor.NameTargets([]string{"postgres://db/app", "postgres://u:s3cret@db:x/app"}); err == nil || strings.Contains(err.Error(), "s3cret") || !strings.Contains(err.Error(), "number 2") {
		t.Errorf("got %v", err)
	}
}

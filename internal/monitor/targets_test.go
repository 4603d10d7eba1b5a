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
`), env)
	if err != nil || len(got) != 2 || got[0] != (monitor.Named{Name: "app-1", URL: "postgres://u:s3cret@db1:5433/app"}) ||
		got[1] != (monitor.Named{Name: "app_2", URL: "host=db2 dbname=app password=s3cret"}) {
		t.Fatalf("got %q, %v", got, err)
	}
	for text, want := range map[string]string{
		"postgres://u:s3cret@db/app":                        "fleet.txt:1: a line is NAME URL",
		"# one\na postgres://db/app\na postgres://db/other": "fleet.txt:3: a is the name of line 2 too",
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

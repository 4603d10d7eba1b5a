package dashboard

import (
	"strings"
	"testing"

	"github.com/planvet/planvet/internal/live"
	"github.com/planvet/planvet/internal/monitor"
)

func TestShape(t *testing.T) {
	for sql, want := range map[string]string{
		"alter role app password 'hunter2' valid until 'x'": "alter role app password …",
		"update slips2 set n = 17.5, a = $2 where id = 9":   "update slips2 set n = …, a = $2 where id = …",
		"do $$ begin perform secret(7); end $$":             "do …",
		"do $body$ secret $body$":                           "do …",
		"select E'it\\'s secret', 4":                        "select E…",
		"begin":                                             "begin",
	} {
		if got := shape(sql); got != want {
			t.Errorf("shape(%q) = %q, want %q", sql, got, want)
		}
	}
}

// Neither the page nor its data have values that the server keeps in texts.
func TestNoValues(t *testing.T) {
	all := sampleReadings()[:2]
	for i, r := range all {
		r.Statements.All = append(r.Statements.All, live.Statement{QueryID: 1, TopLevel: true, Query: "alter role app password 'hunter2'", Calls: int64(i + 1), ExecMS: float64(i+1) * 1e9})
		r.Locks = &monitor.Locks{Trees: []monitor.Blocker{{PID: 1, Waiting: 1, Query: "update t set secret = 'hunter2'", Holds: []monitor.Blocker{{PID: 2, Wants: "ShareLock", Query: "select 'hunter2'"}}}}}
	}
	d := Build(Inputs{Made: morning, Course: courseOf(all), Options: monitor.Options{Limits: monitor.DefaultLimits}})
	page, data := string(asHTML(t, d)), string(asJSON(t, d))
	if strings.Contains(page+data, "hunter2") || !strings.Contains(page, "alter role app password …") || !strings.Contains(page, "update t set secret = …") {
		t.Error("a secret is on the page, or the statement is not")
	}
}

package dashboard

import (
	"embed"
	"fmt"
	"html/template"
	"io"
	"strings"
	"sync"
	"time"

	"github.com/planvet/planvet/internal/report"
	"github.com/planvet/planvet/rules"
)

//go:embed page/*.html
var pageFiles embed.FS

var (
	//go:embed page/page.css
	pageCSS string
	//go:embed page/page.js
	pageJS string
)

// pageBody is parsed when a page is written: planvet starts once a package under go vet.
var pageBody = sync.OnceValue(func() *template.Template {
	return template.Must(template.New("page.html").Funcs(template.FuncMap{
		"ms": report.MS, "percent": report.Percent, "short": report.Short, "figure": report.Figure, "thousands": func(n int64) string { return rules.Thousands(n) },
		"verdict": verdict, "sources": sources, "grade": grade, "stateName": stateName, "how": howTo, "sessions": sessions, "utc": utc,
		"latency": latencyChart, "errors": errorsChart, "throughput": throughputChart, "dbtime": databaseChart, "distribution": distributionChart, "peaks": peaks,
		"load": loadChart, "hits": hitsChart, "selectivity": selectivityChart, "locks": locksChart, "rls": rlsChart, "connections": connectionsChart,
		"slo": sloChart, "steps": stepsChart, "estimate": estimate, "optional": optional, "tree": lockTree, "flowLine": flowLine, "hitPercent": hitPercent,
		"queryid": func(ids []string) string { return ids[0] },
		// A figure and its unit stay on one line.
		"unbroken": strings.NewReplacer(" %", "\u00a0%", " ms", "\u00a0ms", " rps", "\u00a0rps").Replace,
		"one":      func(s string) string { return strings.Join(strings.Fields(s), " ") },
		"api":      func(d *Dashboard) []Endpoint { return d.ofSuite(false) }, "db": func(d *Dashboard) []Endpoint { return d.ofSuite(true) },
		"part": func(d *Dashboard, ids ...string) []*part {
			var out []*part
			for _, id := range ids {
				out = append(out, &part{d, d.panel(id)})
			}
			return out
		},
	}).ParseFS(pageFiles, "page/*.html"))
})

// part is a panel in the page.
type part struct {
	*Dashboard
	P *Panel
}

// HTML writes the dashboard as one page that needs nothing else. live, where it is not
// 0, is how often the page is loaded anew, which it says.
func HTML(w io.Writer, d *Dashboard, live time.Duration) error {
	var body strings.Builder
	if err := pageBody().Execute(&body, struct {
		*Dashboard
		Live time.Duration
	}{d, live}); err != nil {
		return fmt.Errorf("writing the page: %w", err)
	}
	// Texts keep their lines; nothing else that is not seen is in the page.
	lines := strings.Split(body.String(), "\n")
	for i := range lines {
		lines[i] = report.Printable(lines[i])
	}
	return report.WritePage(w, &report.Page{
		Title: "planvet dashboard: " + verdict(d), Body: template.HTML(strings.Join(lines, "\n")), Style: report.PlotStyle + pageCSS, Script: pageJS,
	})
}

// verdict is the page in one sentence.
func verdict(d *Dashboard) string {
	counts := map[string]int{}
	for i := range d.Panels {
		counts[d.Panels[i].State]++
	}
	measured := len(d.Panels) - counts[NotMeasured]
	switch {
	case measured == 0:
		return "nothing is measured yet"
	case counts[Critical]+counts[Warning] == 0:
		return fmt.Sprintf("nothing is over its bounds in %s", report.Plural(measured, "panel"))
	}
	var parts []string
	if counts[Critical] > 0 {
		var titles []string
		for i := range d.Panels {
			if p := &d.Panels[i]; p.State == Critical {
				titles = append(titles, strings.ToLower(p.Title))
			}
		}
		parts = append(parts, "critical: "+strings.Join(titles, ", "))
	}
	if n := counts[Warning]; n > 0 {
		parts = append(parts, report.Plural(n, "warning"))
	}
	return strings.Join(parts, "; ")
}

// sources say what the figures are of, a line each.
func sources(d *Dashboard) []string {
	var out []string
	if s := d.Server; s != nil {
		line := fmt.Sprintf("Database %s, %s: ", s.Where, s.Name())
		switch {
		case d.Interval:
			line += fmt.Sprintf("%s, %s to %s", report.Plural(d.Readings, "reading"), utc(d.From), utc(d.To))
		case d.From.IsZero():
			line += "counters until " + utc(d.To)
		default:
			line += fmt.Sprintf("counters from %s to %s", utc(d.From), utc(d.To))
		}
		out = append(out, line)
	}
	if r := d.Run; r != nil {
		line := "Benchmark"
		if r.CorrelationID != "" {
			line += " " + r.CorrelationID
		}
		if r.Commit != "" {
			line += " of commit " + r.Commit[:min(len(r.Commit), 12)]
		}
		e := r.Environment
		line += fmt.Sprintf(": %s, %s/%s, %s", utc(r.Started), e.OS, e.Arch, report.Plural(e.Cores, "core"))
		for _, s := range []string{e.CPU, e.Dataset} {
			if s != "" {
				line += ", " + s
			}
		}
		if e.Postgres != "" {
			line += ", PostgreSQL " + e.Postgres
		}
		out = append(out, line)
	}
	return out
}

func utc(t time.Time) string { return t.UTC().Format("2 Jan 2006 15:04") + " UTC" }

// grade is the class of a state: its colour.
func grade(state string) string {
	switch state {
	case Good, "green":
		return "good"
	case Warning, "minor":
		return "warn"
	case Critical:
		return "bad"
	}
	return "soft"
}

// stateName is a state in words; "" for a panel without bounds.
func stateName(state string) string {
	switch state {
	case Neutral:
		return ""
	case NotMeasured:
		return "not measured"
	}
	return state
}

// howTo is how a panel is read.
func howTo(id string) string { return howTos[id] }

var howTos = map[string]string{
	"slo":         "Each line is an objective: the dot is the measured p95 as a share of its target, the whisker its confidence interval of 95 %, the long tick the target, a second one the alert threshold. A target is broken where chance does not explain what was measured: by the binomial distribution at 1 %, as planvet slo check has it. What is broken is minor up to 20 % over the target, warning up to 50 %, critical beyond; all else is green.",
	"latency":     "Each line is an endpoint on one logarithmic axis: p50, p95 and p99 with their confidence intervals of 95 %; a long tick is its objective. Of an open load latency counts from when a request should have been sent, so that a stall shows. A percentile with too few samples is left out.",
	"errors":      "Answers other than 2xx, timeouts and what could not be sent, over all requests. Their latencies are not in the percentiles: over 1 %, these are of the lucky ones only.",
	"throughput":  "The highest rate at which p95 stays within the target, nothing is dropped and no backlog grows. What is offered beyond it queues up.",
	"dbtime":      "The share of the time of requests that the database takes. A high one says that statements are worth looking at; a low one, that the time goes elsewhere: into the application, the network, or into waiting for a connection.",
	"statements":  "Seconds of execution per second: 1 is one session at work all the time. Colours are the statements with most time over the whole span. pg_stat_statements keeps no percentiles; those of statements come from a benchmark of the db suite.",
	"hits":        "Blocks found in shared buffers over all blocks that statements touched. What is not found there may still be in the system's cache. A statement can have a ratio of 100 % and read far too much: look at blocks, too.",
	"selectivity": "Rows and index entries that scans of tables read, for each row that statements returned or changed. A count or a sum reads much for one row by nature; a lookup should not. Tables of which sequential scans read most want an index, or are small.",
	"locks":       "Sessions that waited for a lock when the server was read: shorter waits in between are not seen. The light band reaches from the least to the most of the readings that one step sums up. Deadlocks are counted by the server and none is missed.",
	"rls":         "The same rows, read under the policies (filled) and by a role that bypasses them with the policies' conditions written into the statement (hollow). The distance is what row security costs.",
	"connections": "Connections that clients hold, against those that the server has for everybody. A pool with a queue is saturated whatever its averages say: clients wait before their query starts. A transaction that is idle holds its connection, its locks, and old rows.",
	"flows":       "The steps that a user takes, one after the other: each bar is the p95 of a step. Statements a step are counted where the benchmark could.",
}

package main

import (
	"fmt"
	"html"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/planvet/planvet/internal/report/browsertest"
	"github.com/planvet/planvet/internal/shadow/shadowtest"
)

// TestPictures draws those of README.md: the terminal, the page of one query's plan, and
// the dashboard, each of what the command prints now. `make pictures` runs it.
func TestPictures(t *testing.T) {
	dir := os.Getenv("PLANVET_PICTURES")
	if dir == "" {
		t.Skip("writes pictures into PLANVET_PICTURES")
	}
	b := browsertest.Start(t)
	conn := shadowtest.Connect(t, "create extension pg_stat_statements", "create table visits (id bigint primary key, player bigint not null, note text)",
		"insert into visits select i, i % 500, md5(i::text) from generate_series(1, 20000) i", "analyze visits")
	url := conn.Config().ConnString()
	page := func(args ...string) []byte {
		t.Helper()
		file := filepath.Join(t.TempDir(), "page.html")
		if code, _, errs := planvetRun(t, append(args, "--output", file)...); code != 0 {
			t.Fatalf("%q: exit %d: %s", args, code, errs)
		}
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	shoot := func(name string, text []byte, v browsertest.View, whole bool) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, name), b.Open(t, text, v).Screenshot(whole), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	results, slos := absolute(t, recordedResults), absolute(t, recordedSLOs)
	t.Chdir("../../examples/casino")

	const command = "check --rules unindexed-where,rls-leakproof --confirm shadow --color always"
	code, out, errs := planvetRun(t, strings.Fields(command)...)
	if code != 1 {
		t.Fatalf("exit %d: %s", code, errs)
	}
	shoot("check.png", terminalPage("$ planvet "+strings.TrimSuffix(command, " --color always"), out), browsertest.View{Width: 1080, Height: 300}, true)

	shoot("explain.png", page("explain", "--shadow", "--rows", "20000", "--format", "html", "--sql",
		"select v.player_id, count(*) from rating_slips s join visits v on v.id = s.visit_id where s.device_serial = 'A-17' group by 1"),
		browsertest.View{Width: 1280, Height: 1100}, false)

	history := filepath.Join(t.TempDir(), "history.jsonl")
	for range 4 {
		for i := range 60 {
			for _, sql := range []string{"select note from visits where id = $1", "select count(*) from visits where player = $1"} {
				if _, err := conn.Exec(t.Context(), sql, i); err != nil {
					t.Fatal(err)
				}
			}
		}
		if code, _, errs := planvetRun(t, "monitor", "--database-url", url, "--history", history, "--pool-stats", "--locks"); code != 0 {
			t.Fatalf("exit %d: %s", code, errs)
		}
	}
	shoot("dashboard.png", page("dashboard", "--history", history, "--results", results, "--slo-file", slos),
		browsertest.View{Width: 1280, Height: 1100}, false)
}

func absolute(t *testing.T, file string) string {
	t.Helper()
	abs, err := filepath.Abs(file)
	if err != nil {
		t.Fatal(err)
	}
	return abs
}

var sgr = regexp.MustCompile(`\x1b\[([0-9;]*)m`)

// terminalPage is a page that shows what a command printed, with its colours.
func terminalPage(command, out string) []byte {
	styles := map[string]string{
		"1": "font-weight:bold", "2": "opacity:.62", "31": "color:#f2777a", "32": "color:#8fd18f", "33": "color:#f0c674", "34": "color:#81a2ff",
		"35": "color:#d7a6e8", "36": "color:#7fd1d1", "4": "text-decoration:underline",
	}
	var b strings.Builder
	b.WriteString(`<!doctype html><meta charset="utf-8"><title>planvet</title><style>body{margin:0;background:#16181d}` +
		`pre{margin:0;padding:22px 26px;color:#dfe3ea;font:14px/1.5 ui-monospace,"DejaVu Sans Mono",monospace;white-space:pre-wrap;tab-size:4}</style><pre>`)
	b.WriteString("<b>" + html.EscapeString(command) + "</b>\n\n")
	open, at := 0, 0
	for _, m := range sgr.FindAllStringSubmatchIndex(out, -1) {
		b.WriteString(html.EscapeString(out[at:m[0]]))
		at = m[1]
		for code := range strings.SplitSeq(out[m[2]:m[3]], ";") {
			if style, ok := styles[code]; ok {
				fmt.Fprintf(&b, `<span style="%s">`, style)
				open++
			} else {
				b.WriteString(strings.Repeat("</span>", open))
				open = 0
			}
		}
	}
	b.WriteString(html.EscapeString(out[at:]) + strings.Repeat("</span>", open) + "</pre>")
	return []byte(b.String())
}

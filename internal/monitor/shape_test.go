package monitor_test

import (
	"fmt"
	"math/rand/v2"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/planvet/planvet/internal/live"
	"github.com/planvet/planvet/internal/monitor"
	"github.com/planvet/planvet/internal/shadow/shadowtest"
)

// TestTopIsTheTopOfAll looks into the first statements alone, and wants them as they
// are where all are looked into: those whose rows differ in lists stand together, and
// what they are is known.
func TestTopIsTheTopOfAll(t *testing.T) {
	conn := shadowtest.Connect(t, loopSchema)
	o := options(t, open(t, conn), "total", 0)
	rnd := rand.New(rand.NewPCG(1, 2))
	r := &monitor.Reading{Statements: &live.Statements{}}
	for i := range 400 {
		var in []string
		for k := range 1 + rnd.IntN(5) {
			in = append(in, fmt.Sprintf("$%d", k+1))
		}
		sql := fmt.Sprintf("select name from players where id IN (%s) and club_id = $%d and %s", strings.Join(in, ", "), len(in)+1,
			[]string{"name = 'x'", "name like 'x%'", "club_id > 7", "id <> 3"}[i%4])
		id := int64(i)
		switch i % 5 {
		case 3: // the server takes them for one, whose text is that of a user's first call
			sql = fmt.Sprintf("select id, club_id as c%d from players where name like $1", i)
			id = 1000
		case 4:
			sql = "select name from clubs where id = $1"
		}
		calls := int64(1 + rnd.IntN(1000))
		r.Statements.All = append(r.Statements.All, live.Statement{UserID: int64(i), QueryID: id, TopLevel: true, Query: sql, Calls: calls, Rows: calls,
			ExecMS: float64(rnd.IntN(1000)), SharedHit: int64(rnd.IntN(5000)), SharedRead: int64(rnd.IntN(1000)), WALBytes: int64(rnd.IntN(100))})
	}
	for _, sort := range []string{"total", "calls", "io", "rows", "wal"} {
		o.Sort, o.Top = sort, 0
		all := r.Report(o)
		for _, top := range []int{1, 3, 5} {
			o.Top = top
			got := r.Report(o)
			if d := cmp.Diff(all.Top[:top], got.Top, cmpopts.EquateApprox(1e-9, 0)); d != "" || got.Totals.Calls != all.Totals.Calls {
				t.Errorf("by %s, the first %d of %d: %s", sort, top, len(all.Top), d)
			}
		}
	}
}

// TestOutline holds the outline, which is written by hand since it is made of each text
// at each reading, against the expressions that say what it is.
func TestOutline(t *testing.T) {
	list := regexp.MustCompile(`(?i)\bin\s*\(\s*\$\d+(?:\s*,\s*\$\d+)*(?:\s*/\*, \.\.\. \*/)?\s*\)`)
	number := regexp.MustCompile(`\$\d+`)
	want := func(text string) string {
		if !list.MatchString(text) {
			return text
		}
		return number.ReplaceAllString(list.ReplaceAllString(text, "in ($$0)"), "$$")
	}
	texts := []string{
		"", "in", "in (", "in ()", "in ($1", "in ($1,)", "(in ($1))", "select $1", "a in ($1, $2) and b = $3 and c In($4)", "min ($1)", "_in ($1)", "x.in($1)",
		"in\n(\t$1 ,\r\n$12 /*, ... */ ) $2$3", "in ($1 /*, ... */)", "in ($1, $2)in ($3)", "in ($)", "in (1, $2)", "in ($1) or in ($x) or 'in ($2)'", "ünd in ($1)", "µin ($1) $",
	}
	pieces := []string{"in", " ", "(", "$1", "$23", ",", ")", "/*, ... */", "x", "$", "\n", "IN (", "and b = $7"}
	rnd := rand.New(rand.NewPCG(3, 4))
	for range 20_000 {
		var b strings.Builder
		for range 1 + rnd.IntN(14) {
			b.WriteString(pieces[rnd.IntN(len(pieces))])
		}
		texts = append(texts, b.String())
	}
	merged := 0
	for _, text := range texts {
		got, want := monitor.Outline(text), want(text)
		if got != want {
			t.Fatalf("%q: got %q, want %q", text, got, want)
		}
		if want != text {
			merged++
		}
	}
	if merged < 100 {
		t.Errorf("%d texts have a list: the test shows nothing", merged)
	}
}

package monitor_test

import (
	"fmt"
	"math/rand/v2"
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

package confirm

import (
	"fmt"
	"sort"
	"strings"
	"time"

	"github.com/planvet/planvet/internal/plan"
)

// runTimeout bounds one run of a statement. What takes longer on made rows is not
// measured: a run is repeated, and findings come by the dozen.
const runTimeout = 10 * time.Second

// queryCanceled is the SQLSTATE of a statement that ran into its timeout.
const queryCanceled = "57014"

// slowRun is what a run told of a statement that takes long, so that no other
// finding on it waits for the same answer.
type slowRun struct {
	plan *plan.Plan
	rows *plan.Outcome
	// timeout is the reason of a statement that did not end in time.
	timeout string
}

// key tells the statement of a set from others: its text and values, who asks, and
// what the transaction has changed of the schema before the fix.
func (q *question) key(k int) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s\x00%s\x00%s", q.state, q.role, q.sql)
	var names []string
	for n := range q.sets[k].settings {
		names = append(names, n)
	}
	sort.Strings(names)
	for _, n := range names {
		fmt.Fprintf(&b, "\x00%s=%s", n, q.sets[k].settings[n])
	}
	for _, v := range q.sets[k].args {
		if v == nil {
			b.WriteString("\x00null")
		} else {
			b.WriteString("\x00'" + *v)
		}
	}
	return b.String()
}

// before runs a statement as it is without the fix and returns its plan, or why
// there is none. A slow one is run once for all findings on it.
func (a *asker) before(q *question, k int) (*plan.Plan, string) {
	known := a.slow[q.key(k)]
	if known.timeout != "" || known.plan != nil {
		return known.plan, known.timeout
	}
	p, err := a.explain(analyzed(q, k))
	if err == nil && p.ExecutionMS > slow {
		known.plan = p
		a.slow[q.key(k)] = known
	}
	return p, a.failed(q, k, err)
}

// rowsBefore are the rows of a statement without the fix, as before is its plan.
func (a *asker) rowsBefore(q *question, k int) (plan.Outcome, string) {
	known := a.slow[q.key(k)]
	if known.timeout != "" || known.rows != nil {
		if known.rows == nil {
			return plan.Outcome{}, known.timeout
		}
		return *known.rows, ""
	}
	out, err := a.run(q.request(k), [][]*string{q.sets[k].args})
	if err == nil && out.MS > slow {
		known.rows = &out
		a.slow[q.key(k)] = known
	}
	return out, a.failed(q, k, err)
}

// failed says why a run without the fix gave nothing, and keeps in mind that it
// would take too long again.
func (a *asker) failed(q *question, k int, err error) string {
	if err == nil {
		return ""
	}
	reason := a.runReason("running the statement", q, err)
	if code(err) == queryCanceled {
		a.slow[q.key(k)] = slowRun{timeout: reason}
	}
	return reason
}

// runReason is an error of a run as a reason has it.
func (a *asker) runReason(doing string, q *question, err error) string {
	if code(err) != queryCanceled {
		return doing + ": " + message(err)
	}
	rows, _ := a.size(q.all[0])
	return fmt.Sprintf("%s takes longer than %.0f s on %d made rows of %s: ask with --confirm live", doing, runTimeout.Seconds(), rows, q.rel.Table)
}

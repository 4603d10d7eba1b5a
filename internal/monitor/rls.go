package monitor

import (
	"fmt"
	"slices"
	"strings"

	"github.com/planvet/planvet/catalog"
	"github.com/planvet/planvet/internal/report"
)

// RLSCost is what row security costs one call of a statement, measured beside what
// pg_stat_statements counted: the statement as the role, and the same rows without row
// security with the policies' conditions written into it.
type RLSCost struct {
	Role       string  `json:"role"`
	EnforcedMS float64 `json:"enforced_ms"`
	IdealMS    float64 `json:"ideal_ms"`
	// MS is the difference and Ratio enforced over ideal; nil where they could not be
	// measured, and Problem says why.
	MS      *float64 `json:"overhead_ms,omitempty"`
	Ratio   *float64 `json:"ratio,omitempty"`
	Problem string   `json:"problem,omitempty"`
	// PerRow are the functions that the policies call for each row.
	PerRow []string `json:"per_row,omitempty"`
}

// Secured are those of the report's statements that read a table whose policies are in
// force, in the report's order.
func (r *Report) Secured(cat *catalog.Catalog) []*Query {
	var out []*Query
	if cat == nil {
		return nil
	}
	secured := map[string]bool{}
	for _, rel := range cat.Relations() {
		secured[rel.Name.String()] = rel.IsTable() && rel.RLSEnabled && len(rel.Policies) > 0
	}
	for i := range r.Top {
		q := &r.Top[i]
		if q.Class != Write && q.Class != Utility && slices.ContainsFunc(q.Tables, func(t string) bool { return secured[t] }) {
			out = append(out, q)
		}
	}
	return out
}

func (c *RLSCost) cell() string {
	switch {
	case c == nil:
		return ""
	case c.MS == nil:
		return "?"
	}
	return report.MS(max(*c.MS, 0))
}

// message is what a reader must know of the cost of one statement.
func (c *RLSCost) message() string {
	if c.MS == nil {
		return fmt.Sprintf("not measured as %s: %s", c.Role, c.Problem)
	}
	text := fmt.Sprintf("%s a call as %s, %s without row security and with the policies' conditions in the statement", report.MS(c.EnforcedMS), c.Role, report.MS(c.IdealMS))
	if len(c.PerRow) > 0 {
		text += "; called for each row: " + strings.Join(c.PerRow, ", ")
	}
	return text
}

// secured says whether row security was measured for any statement.
func (r *Report) secured() bool {
	return slices.ContainsFunc(r.Top, func(q Query) bool { return q.RLS != nil })
}

// security are the messages, each once, with the ranks of the statements.
func (r *Report) security() (ranks, messages []string) {
	at := map[string]int{}
	for i := range r.Top {
		q := &r.Top[i]
		if q.RLS == nil {
			continue
		}
		m := q.RLS.message()
		if k, ok := at[m]; ok {
			ranks[k] += fmt.Sprintf(", #%d", q.Rank)
			continue
		}
		at[m] = len(messages)
		ranks, messages = append(ranks, fmt.Sprintf("#%d", q.Rank)), append(messages, m)
	}
	return ranks, messages
}

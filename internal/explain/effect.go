package explain

import (
	"strings"

	"github.com/planvet/planvet/internal/report"
)

// comparison is one figure of a recommendation's effect.
type comparison struct {
	Unit          string
	Before, After float64
}

func (c comparison) text(x float64) string {
	switch c.Unit {
	case "time":
		return report.MS(x)
	case "blocks":
		return report.Plural(int(x), "block")
	}
	return "cost " + report.Figure(x)
}

// gain says how much less, or more, it became.
func (c comparison) gain() string {
	switch {
	case c.After <= 0 || c.Before <= 0:
		return ""
	case c.Before >= c.After*1.05:
		return ratioText(c.Before/c.After) + " less"
	case c.After >= c.Before*1.05:
		return ratioText(c.After/c.Before) + " more"
	}
	return "the same"
}

// comparisons are the figures that both sides of an effect have: time, then blocks,
// and costs where neither was measured.
func comparisons(before, after *Effect) []comparison {
	if before == nil || after == nil {
		return nil
	}
	var out []comparison
	if before.MS > 0 && after.MS > 0 {
		out = append(out, comparison{"time", before.MS, after.MS})
	}
	if before.Blocks > 0 {
		out = append(out, comparison{"blocks", float64(before.Blocks), float64(after.Blocks)})
	}
	if len(out) == 0 && (before.Cost > 0 || after.Cost > 0) {
		out = append(out, comparison{"cost", before.Cost, after.Cost})
	}
	return out
}

// effectLines are before → after, one figure a line, then the access.
func effectLines(rec *Recommendation) []string {
	var out []string
	for _, c := range comparisons(rec.Before, rec.After) {
		s := c.text(c.Before) + " → " + strings.TrimPrefix(c.text(c.After), "cost ")
		if g := c.gain(); g != "" {
			s += ", " + g
		}
		out = append(out, s)
	}
	if b, a := rec.Before, rec.After; b != nil && a != nil && b.Access != a.Access {
		out = append(out, line(b.Access)+" → "+line(a.Access))
	}
	return out
}

// verified is the label of a recommendation: measured, estimated or unverified.
func verified(rec *Recommendation) string {
	if rec.Verified == "" {
		return "unverified"
	}
	return rec.Verified
}

package page

import (
	"fmt"
	"time"

	"github.com/planvet/planvet/internal/bench/verdict"
	"github.com/planvet/planvet/internal/report"
)

// signed is a difference in percent, with its sign.
func signed(percent float64) string {
	if percent < 0 {
		return "−" + report.Round(report.Figure(-percent)) + " %"
	}
	return "+" + report.Round(report.Figure(percent)) + " %"
}

// bounds are those of a difference; "" where it has none.
func bounds(c *verdict.Change) string {
	if c == nil || c.Low == nil || c.High == nil {
		return ""
	}
	return signed(*c.Low) + " to " + signed(*c.High)
}

// probability is a p-value; "" where there is none.
func probability(p *float64) string {
	switch {
	case p == nil:
		return ""
	case *p < 1e-4:
		return "< 0.0001"
	}
	return report.Figure(*p)
}

func utc(t time.Time) string { return t.UTC().Format("2 Jan 2006, 15:04:05") + " UTC" }

// short is a figure of an axis: 5 ms, not 5.00 ms.
func short(ms float64) string { return report.Round(report.MS(ms)) }

func percentOf(share float64) string { return report.Round(report.Figure(100*share)) + " %" }

// anchor names the part of a page that is about a case.
func anchor(suite string, i int) string { return fmt.Sprintf("#%s-%d", suite, i) }

package report

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/planvet/planvet/rules"
)

// describe is a verdict in one line: status, how far the proof went, before and
// after. It is "" where nobody asked.
func describe(v *rules.Verdict) string {
	if v.Status == rules.NotRun || v.Status == "" {
		if v.Reason != "" {
			return "not-run: " + Redact(v.Reason)
		}
		return ""
	}
	head := string(v.Status)
	if how := basis(v); how != "" {
		head += " (" + how + ")"
	}
	parts := append(comparison(v.Before, v.After), v.Facts...)
	if v.Reason != "" {
		parts = append(parts, Redact(v.Reason))
	}
	if len(parts) == 0 {
		return head
	}
	return head + ": " + strings.Join(parts, "; ")
}

// basis says what the proof rests on: the level, and the number of rows where it
// counts.
func basis(v *rules.Verdict) string {
	if v.Rows <= 0 || v.Level == "" || v.Level == rules.Structural {
		return string(v.Level)
	}
	how := string(v.Level) + " at "
	if v.Level == rules.Measured {
		how = string(v.Level) + " on "
	}
	how += Plural(int(v.Rows), "row")
	switch v.RowsSource {
	case "statistics":
		how += ", as statistics say"
	case "profile":
		how += ", as planvet.yaml says"
	case "default":
		if v.Level != rules.Measured {
			how += ", assumed"
		}
	}
	return how
}

// comparison writes each figure as before → after.
func comparison(before, after *rules.Evidence) []string {
	b, a := rules.Evidence{}, rules.Evidence{}
	if before != nil {
		b = *before
	}
	if after != nil {
		a = *after
	}
	var out []string
	add := func(has bool, x, y, unit string) {
		switch {
		case !has:
			return
		case after == nil:
			out = append(out, strings.TrimSpace(x+" "+unit))
		case before == nil:
			out = append(out, strings.TrimSpace("→ "+y+" "+unit))
		default:
			out = append(out, strings.TrimSpace(x+" → "+y+" "+unit))
		}
	}
	add(b.Access != "" || a.Access != "", orDash(b.Access), orDash(a.Access), "")
	if b.Cost > 0 || a.Cost > 0 {
		add(true, "cost "+Figure(b.Cost), Figure(a.Cost), "")
	}
	add(b.SharedBlocks > 0 || a.SharedBlocks > 0, rules.Thousands(b.SharedBlocks), rules.Thousands(a.SharedBlocks), "blocks")
	add(b.MS > 0 || a.MS > 0, Figure(b.MS), Figure(a.MS), "ms")
	add(b.RoundTrips > 0 || a.RoundTrips > 0, rules.Thousands(int64(b.RoundTrips)), rules.Thousands(int64(a.RoundTrips)), "round trips")
	return out
}

// circumstances say as whom and with which settings a planner was asked. Values of
// settings are not printed: claims may be a person's.
func circumstances(v *rules.Verdict) string {
	if v.Status == rules.NotRun || v.Status == "" {
		return ""
	}
	var parts []string
	if v.Role != "" {
		parts = append(parts, "as "+v.Role)
	}
	if v.ServerVersion != "" {
		parts = append(parts, "on PostgreSQL "+v.ServerVersion)
	}
	if len(v.Settings) > 0 {
		parts = append(parts, fmt.Sprintf("with %s set", strings.Join(slices.Sorted(maps.Keys(v.Settings)), ", ")))
	}
	return strings.Join(parts, " ")
}

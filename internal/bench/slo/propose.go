package slo

import (
	"io"
	"math"
	"regexp"
	"slices"
	"strings"

	"github.com/planvet/planvet/internal/bench/results"
	"github.com/planvet/planvet/internal/report"
)

// Headroom is by how much a proposed target exceeds what is surely kept now.
const Headroom = 1.25

// Propose makes objectives of what was measured, by service and operation:
//
//  1. The tier is the fastest whose p95 is at or over Headroom times the upper end of
//     the interval of the measured p95, of the slowest case. Over the slowest tier the
//     target is that figure, rounded up to 100 ms.
//  2. The type is by the verb that the name of a case begins with: GET reads, POST
//     writes, select reads; SQL that groups or counts aggregates. Names that say
//     nothing, or different things, give none.
//
// skipped are operations of which no case has a p95.
func Propose(r *results.Results) (out []Objective, skipped []Name) {
	type seen struct {
		p95   float64
		types []string
	}
	by, order := map[[2]string]*seen{}, [][2]string{}
	for _, s := range subjects(r) {
		name := [2]string{s.service, s.operation}
		if s.service == "" || s.operation == "" {
			continue
		}
		if by[name] == nil {
			by[name], order = &seen{}, append(order, name)
		}
		if p := s.measured.Latency.P95; p != nil {
			by[name].p95 = max(by[name].p95, p.High)
		}
		if t := typeOf(s.name); t != "" && !slices.Contains(by[name].types, t) {
			by[name].types = append(by[name].types, t)
		}
	}
	for _, name := range order {
		o, n := Objective{Service: name[0], Operation: name[1]}, by[name]
		if n.p95 == 0 {
			skipped = append(skipped, Name{Service: o.Service, Operation: o.Operation})
			continue
		}
		target := Headroom * n.p95
		at := slices.IndexFunc(Tiers, func(t Tier) bool { return target <= t.P95 })
		if at < 0 {
			o.P95Target = 100 * math.Ceil(target/100)
		} else {
			o.Tier = Tiers[at].Name
		}
		if len(n.types) == 1 {
			o.Type = n.types[0]
		}
		out = append(out, o)
	}
	return out, skipped
}

var (
	aggregates = regexp.MustCompile(`(?i)\bgroup\s+by\b|\b(count|sum|avg|min|max)\s*\(`)
	reads      = regexp.MustCompile(`(?is)\bselect\b.*\bfrom\b`)
	writes     = regexp.MustCompile(`(?i)\b(insert\s+into|update\s+\S+\s+set|delete\s+from|merge\s+into)\b`)
)

// typeOf is the type that a case's name says, a request or SQL; "" for neither.
func typeOf(name string) string {
	verb, _, _ := strings.Cut(strings.TrimSpace(name), " ")
	switch verb {
	case "GET", "HEAD":
		return "read-heavy"
	case "POST", "PUT", "PATCH", "DELETE":
		return "write-heavy"
	}
	switch verb = strings.ToLower(verb); {
	case verb == "insert" || verb == "update" || verb == "delete" || verb == "merge" || verb == "with":
		if writes.MatchString(name) {
			return "write-heavy"
		}
		if verb != "with" {
			return ""
		}
	case verb != "select":
		return ""
	}
	if !reads.MatchString(name) {
		return "" // words, as select a player
	}
	if aggregates.MatchString(name) {
		return "aggregation"
	}
	return "read-heavy"
}

// WriteProposal writes what Propose made, as Read reads it: a tier stands for its
// targets.
func WriteProposal(w io.Writer, all []Objective) error {
	type line struct {
		Service   string  `json:"service"`
		Operation string  `json:"operation"`
		Tier      string  `json:"tier,omitempty"`
		Type      string  `json:"type,omitempty"`
		P95Target float64 `json:"p95_target_ms,omitempty"`
	}
	lines := []line{}
	for _, o := range all {
		lines = append(lines, line{o.Service, o.Operation, o.Tier, o.Type, o.P95Target})
	}
	return report.WriteJSON(w, map[string]any{"slos": lines})
}

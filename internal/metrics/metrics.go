// Package metrics holds figures for a metrics engine, and writes them as Prometheus text.
package metrics

import (
	"fmt"
	"io"
	"strings"
	"time"
)

// Kind is counter, which only grows until it is reset, or gauge.
type Kind string

// The kinds.
const (
	Counter Kind = "counter"
	Gauge   Kind = "gauge"
)

// Attribute tells series of a metric apart.
type Attribute struct{ Name, Value string }

// Series is one value of a metric. Since is when a counter began to count, zero where
// that is not known, and At when it was read; zero is now.
type Series struct {
	Attributes []Attribute
	Value      float64
	Since, At  time.Time
}

// Metric is series under one name, which is Prometheus's: seconds and bytes are the
// units that it ends in, and a counter ends in _total.
type Metric struct {
	Name   string
	Kind   Kind
	Help   string
	Series []Series
}

// Set gathers the series of each metric, which must stand together.
type Set struct {
	// Common are attributes of all series that come.
	Common    []Attribute
	Since, At time.Time
	byName    map[string]*Metric
	order     []*Metric
}

// Add adds series to a metric, under the set's common attributes and times; none make no
// metric.
func (s *Set) Add(name string, kind Kind, help string, all ...Series) {
	if len(all) == 0 {
		return
	}
	m := s.byName[name]
	if m == nil {
		if s.byName == nil {
			s.byName = map[string]*Metric{}
		}
		m = &Metric{Name: name, Kind: kind, Help: help}
		s.byName[name] = m
		s.order = append(s.order, m)
	}
	for _, x := range all {
		x.Attributes = append(append([]Attribute{}, s.Common...), x.Attributes...)
		if x.At = s.At; kind == Counter {
			x.Since = s.Since
		}
		m.Series = append(m.Series, x)
	}
}

// Metrics are those that were added, in the order of their first series.
func (s *Set) Metrics() []*Metric { return s.order }

// Text writes the metrics as Prometheus text, version 0.0.4.
func (s *Set) Text(w io.Writer) error {
	var b strings.Builder
	for _, m := range s.order {
		fmt.Fprintf(&b, "# HELP %s %s\n# TYPE %s %s\n", m.Name, m.Help, m.Name, m.Kind)
		for _, x := range m.Series {
			b.WriteString(m.Name)
			for i, a := range x.Attributes {
				b.WriteString(map[bool]string{true: "{", false: ","}[i == 0] + a.Name + `="` + escapes.Replace(strings.ToValidUTF8(a.Value, "�")) + `"`)
			}
			if len(x.Attributes) > 0 {
				b.WriteString("}")
			}
			fmt.Fprintf(&b, " %v\n", x.Value)
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

var escapes = strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`)

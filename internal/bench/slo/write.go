package slo

import (
	"cmp"
	"fmt"
	"io"

	"github.com/planvet/planvet/internal/report"
)

// JSON writes the report as a machine format.
func (c *Compliance) JSON(w io.Writer) error { return report.WriteJSON(w, c) }

var styles = map[State]report.Style{Green: report.Green, Minor: report.Yellow, Warning: report.Yellow, Critical: report.Red, Alert: report.Red, NotMeasured: report.Dim}

// Text writes the report for people: the verdict, services, measures, and gaps.
func (c *Compliance) Text(w io.Writer, o report.TextOptions) error {
	t := report.NewPrinter(w, o)
	t.Paint(report.Bold, c.headline())
	t.Printf("\n")
	for i := range c.Services {
		s := &c.Services[i]
		t.Printf("\n%s  %s\n", t.Styled(report.Bold, s.Service), t.Styled(styles[s.State], s.Word()))
		for k := range c.Checked {
			if ch := &c.Checked[k]; ch.Service == s.Service {
				ch.text(t)
			}
		}
	}
	c.gaps(func(title string, names []string) {
		t.Printf("\n%s\n", title)
		for _, n := range names {
			t.Printf("  %s\n", report.Printable(n))
		}
	})
	return t.Err()
}

func (c *Checked) text(t *report.Printer) {
	t.Printf("  %s  %s  (%s: %s)%s\n", report.Printable(c.Operation), t.Styled(styles[c.State], c.word()), report.Printable(c.Suite), report.Printable(c.Case), report.Printable(c.Spec(", ")))
	for i := range c.Measures {
		m := &c.Measures[i]
		t.Printf("    %s %s, target %s", report.Pad(m.label(), 10), m.value(), m.figure(m.Target))
		if m.Why != "" {
			t.Printf("  %s", t.Styled(styles[m.State], m.Why))
		}
		t.Printf("\n")
	}
	if c.Alert {
		t.Printf("    %s\n", t.Styled(report.Red, "p95 is over the alert threshold of "+ms(c.AlertThreshold)))
	}
}

// Markdown writes the report for a step summary or a comment.
func (c *Compliance) Markdown(w io.Writer) error {
	t := report.NewPrinter(w, report.TextOptions{})
	t.Printf("**%s**\n\n", report.MarkdownText(c.headline()))
	var rows [][]string
	for i := range c.Checked {
		ch := &c.Checked[i]
		for k := range ch.Measures {
			m := &ch.Measures[k]
			name, word := "", ""
			if k == 0 {
				name, word = report.MarkdownText(ch.Service+" "+ch.Operation+ch.Spec(", ")), ch.word()
				if ch.Alert && ch.State != Alert {
					word += ", over the alert threshold"
				}
			}
			rows = append(rows, []string{name, word, m.label(), m.value(), m.figure(m.Target), report.MarkdownText(m.Why)})
		}
	}
	if rows != nil {
		t.Printf("%s", report.MarkdownTable([]report.Column{{Title: "objective"}, {Title: "verdict"}, {Title: "measure"}, {Title: "value (95 % interval)"}, {Title: "target", Right: true}, {Title: "why"}}, rows))
	}
	c.gaps(func(title string, names []string) {
		t.Printf("\n%s\n\n", title)
		for _, n := range names {
			t.Printf("- %s\n", report.MarkdownText(n))
		}
	})
	return t.Err()
}

// gaps lists what is promised and not measured, and the other way round.
func (c *Compliance) gaps(list func(title string, names []string)) {
	var without, loose []string
	for _, n := range c.WithoutCase {
		without = append(without, n.Service+" "+n.Operation+n.Spec(", "))
	}
	for _, n := range c.WithoutSLO {
		loose = append(loose, fmt.Sprintf("%s: %s (%s %s)", n.Suite, n.Case, n.Service, n.Operation))
	}
	if without != nil {
		list("objectives without a case: nothing measured them", without)
	}
	if loose != nil {
		list("cases without an objective: nothing is promised of them", loose)
	}
}

func (c *Compliance) headline() string {
	counts := map[Verdict]int{}
	for i := range c.Checked {
		counts[c.Checked[i].Verdict]++
	}
	if len(c.Checked) == 0 {
		return "inconclusive: no objective has a case in these results"
	}
	return fmt.Sprintf("%s: of %s %d met, %d broken, %d inconclusive", c.Verdict, report.Plural(len(c.Checked), "check"), counts[Met], counts[Broken], counts[Inconclusive])
}

// Word is the verdict, with the state where that says more.
func (s *Service) Word() string { return word(s.Verdict, s.State) }

// Spec is where the promise is written down, after a separator; "" where nowhere.
func (c *Checked) Spec(separator string) string { return spec(separator, c.SpecRef) }

func spec(separator, ref string) string {
	if ref == "" {
		return ""
	}
	return separator + "spec " + ref
}

func (c *Checked) word() string { return word(c.Verdict, c.State) }

// word is a verdict with the state where that says more.
func word(v Verdict, s State) string {
	if v == Broken {
		return string(v) + ", " + string(s)
	}
	return string(v)
}

func (m *Measure) label() string {
	return map[string]string{"p50_ms": "p50", "p95_ms": "p95", "p99_ms": "p99", "error_rate": "errors", "throughput_rps": "throughput"}[m.Name]
}

func (m *Measure) value() string {
	if m.Value == nil {
		return "-"
	}
	return fmt.Sprintf("%s (%s to %s)", m.figure(m.Value.Value), m.figure(m.Value.Low), m.figure(m.Value.High))
}

// figure is a value in the unit of the measure.
func (m *Measure) figure(x float64) string {
	switch m.Name {
	case "error_rate":
		return report.Percent(x)
	case "throughput_rps":
		return report.Round(report.Figure(x)) + "/s"
	}
	return cmp.Or(ms(x), "0 ms")
}

func ms(x float64) string { return report.Round(report.MS(x)) }

// Spec is where the promise is written down, after a separator; "" where nowhere.
func (o *Operation) Spec(separator string) string { return spec(separator, o.SpecRef) }

// Spec is where the promise is written down, after a separator; "" where nowhere.
func (n Name) Spec(separator string) string { return spec(separator, n.SpecRef) }

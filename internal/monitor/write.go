package monitor

import (
	"encoding/csv"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/planvet/planvet/internal/report"
)

// JSON writes the report as a machine format.
func JSON(w io.Writer, r *Report) error { return report.WriteJSON(w, r) }

// csvColumns are those of CSV, by the names that JSON has; a figure that is not known
// is empty.
var csvColumns = []struct {
	name  string
	value func(q *Query) string
}{
	{"rank", func(q *Query) string { return strconv.Itoa(q.Rank) }},
	{"fingerprint", func(q *Query) string { return q.Fingerprint }},
	{"class", func(q *Query) string { return string(q.Class) }},
	{"calls", func(q *Query) string { return strconv.FormatInt(q.Calls, 10) }},
	{"rows", func(q *Query) string { return strconv.FormatInt(q.Rows, 10) }},
	{"exec_ms", func(q *Query) string { return decimal(q.ExecMS) }},
	{"share", func(q *Query) string { return decimal(q.Share) }},
	{"mean_ms", func(q *Query) string { return decimal(q.MeanMS) }},
	{"min_ms", func(q *Query) string { return optional(q.MinMS) }},
	{"max_ms", func(q *Query) string { return optional(q.MaxMS) }},
	{"stddev_ms", func(q *Query) string { return decimal(q.StddevMS) }},
	{"cv", func(q *Query) string { return decimal(q.CV) }},
	{"plan_ms", func(q *Query) string { return decimal(q.PlanMS) }},
	{"hit_blocks", func(q *Query) string { return strconv.FormatInt(q.Hit, 10) }},
	{"read_blocks", func(q *Query) string { return strconv.FormatInt(q.Read, 10) }},
	{"hit_ratio", func(q *Query) string { return optional(q.HitRatio) }},
	{"read_ms", func(q *Query) string { return decimal(q.ReadMS) }},
	{"temp_blocks", func(q *Query) string { return strconv.FormatInt(q.Temp, 10) }},
	{"wal_bytes", func(q *Query) string { return strconv.FormatInt(q.WALBytes, 10) }},
	{"jit_ms", func(q *Query) string { return decimal(q.JITMS) }},
	{"rows_per_call", func(q *Query) string { return decimal(q.RowsPerCall) }},
	{"blocks_per_row", func(q *Query) string { return optional(q.BlocksPerRow) }},
	{"ms_per_row", func(q *Query) string { return optional(q.MSPerRow) }},
	{"users", func(q *Query) string { return strconv.Itoa(q.Users) }},
	{"rls_role", func(q *Query) string { return rlsOf(q).Role }},
	{"rls_overhead_ms", func(q *Query) string { return optional(rlsOf(q).MS) }},
	{"rls_ratio", func(q *Query) string { return optional(rlsOf(q).Ratio) }},
	{"rls_problem", func(q *Query) string { return rlsOf(q).Problem }},
	{"owner", func(q *Query) string { return q.Owner }},
	{"flags", func(q *Query) string { return strings.Join(flagNames(q), " ") }},
	{"tables", func(q *Query) string { return strings.Join(q.Tables, " ") }},
	{"query_ids", func(q *Query) string { return strings.Join(q.QueryIDs, " ") }},
	{"sql", func(q *Query) string { return q.SQL }},
}

func decimal(x float64) string { return strconv.FormatFloat(x, 'g', -1, 64) }

func optional(x *float64) string {
	if x == nil {
		return ""
	}
	return decimal(*x)
}

func rlsOf(q *Query) RLSCost {
	if q.RLS == nil {
		return RLSCost{}
	}
	return *q.RLS
}

func flagNames(q *Query) []string {
	var out []string
	for _, f := range q.Flags {
		out = append(out, f.Name)
	}
	return out
}

// CSV writes the top statements as RFC 4180 says, under one line of names.
func CSV(w io.Writer, r *Report) error { return tableCSV(w, []Target{{Report: r}}, false) }

// tableCSV writes the statements of targets, named in a first column where that is
// asked for. A target without a report has no lines.
func tableCSV(w io.Writer, targets []Target, named bool) error {
	out := csv.NewWriter(w)
	out.UseCRLF = true
	var row []string
	if named {
		row = append(row, "target")
	}
	for _, c := range csvColumns {
		row = append(row, c.name)
	}
	if err := out.Write(row); err != nil {
		return err
	}
	for i := range targets {
		r := targets[i].Report
		if r == nil {
			continue
		}
		for k := range r.Top {
			row = row[:0]
			if named {
				row = append(row, targets[i].Name)
			}
			for _, c := range csvColumns {
				row = append(row, c.value(&r.Top[k]))
			}
			if err := out.Write(row); err != nil {
				return err
			}
		}
	}
	out.Flush()
	return out.Error()
}

// table is the report for people, the statement last. The class, which decides on flags
// alone, and owners, where there are any, have room in a document only.
func (r *Report) table(document bool) ([]report.Column, [][]string) {
	columns := []report.Column{
		{Title: "#", Right: true}, {Title: "total", Right: true}, {Title: "%", Right: true}, {Title: "calls", Right: true}, {Title: "mean", Right: true},
		{Title: "±", Right: true}, {Title: "rows/call", Right: true}, {Title: "hit", Right: true},
	}
	owners := document && slices.ContainsFunc(r.Top, func(q Query) bool { return q.Owner != "" })
	secured := r.secured()
	if secured {
		columns = append(columns, report.Column{Title: "RLS/call", Right: true})
	}
	if document {
		columns = append(columns, report.Column{Title: "class"})
	}
	if owners {
		columns = append(columns, report.Column{Title: "owner"})
	}
	columns = append(columns, report.Column{Title: "statement"})
	var rows [][]string
	for i := range r.Top {
		q := &r.Top[i]
		hit := ""
		if q.HitRatio != nil {
			hit = report.Percent(*q.HitRatio)
		}
		row := []string{strconv.Itoa(q.Rank), report.MS(q.ExecMS), report.Percent(q.Share), report.Short(float64(q.Calls)), report.MS(q.MeanMS),
			report.MS(q.StddevMS), report.Short(q.RowsPerCall), hit}
		if secured {
			row = append(row, q.RLS.cell())
		}
		if document {
			row = append(row, string(q.Class))
		}
		if owners {
			row = append(row, q.Owner)
		}
		rows = append(rows, append(row, q.SQL))
	}
	return columns, rows
}

// Headline says in one line what the figures are of.
func (r *Report) Headline() string {
	span := "until " + r.To.UTC().Format(time.DateTime) + " UTC"
	switch {
	case r.Interval:
		span = "in " + r.To.Sub(r.From).Round(time.Second/10).String() + " " + span
	case !r.From.IsZero():
		span = "since " + r.From.UTC().Format(time.DateTime) + " UTC"
	}
	return fmt.Sprintf("%s, %s: %s, %s of execution in %s, %s", r.Server.Where, r.Server.Name(),
		report.Plural(r.Statements, "statement"), report.MS(r.Totals.ExecMS), report.Plural(int(r.Totals.Calls), "call"), span)
}

// Text writes the report for a terminal.
func Text(w io.Writer, r *Report, o report.TextOptions) error {
	t := report.NewPrinter(w, o)
	t.Paint(report.Bold, r.Headline())
	t.Printf("\n\n")
	columns, rows := r.table(false)
	t.Table("", report.Width(w), columns, rows)
	if len(r.Top) < r.Statements {
		t.Paint(report.Dim, fmt.Sprintf("the first %d by %s; --top shows more", len(r.Top), r.Sort))
		t.Printf("\n")
	}
	first := true
	about := func(q *Query, format string, args ...any) {
		if first {
			t.Printf("\n")
			first = false
		}
		t.Printf("#%d "+format+"\n", append([]any{q.Rank}, args...)...)
	}
	for i := range r.Top {
		q := &r.Top[i]
		for _, f := range q.Flags {
			about(q, "%s %s", t.Styled(report.Yellow, f.Name+":"), report.Printable(f.Message))
		}
		if q.Owner != "" {
			about(q, "is sent by %s", report.Printable(q.Owner))
		}
	}
	ranks, messages := r.security()
	for i, m := range messages {
		if first {
			t.Printf("\n")
			first = false
		}
		t.Printf("%s %s %s\n", ranks[i], t.Styled(report.Yellow, "row security:"), report.Printable(m))
	}
	r.activity(t, report.Width(w))
	for i, n := range r.Notes {
		if i == 0 {
			t.Printf("\n")
		}
		t.Printf("note: %s\n", report.Printable(n))
	}
	if line := r.Companion.line(); line != "" {
		t.Printf("\ncompanion: %s\n", report.Printable(line))
	}
	return t.Err()
}

// Markdown writes the report for a document or a comment.
func Markdown(w io.Writer, r *Report) error {
	var b strings.Builder
	fmt.Fprintf(&b, "### %s\n\n", report.MarkdownText(r.Headline()))
	columns, rows := r.table(true)
	for _, cells := range rows {
		for k := range cells[:len(cells)-1] {
			cells[k] = report.MarkdownText(cells[k])
		}
		cells[len(cells)-1] = report.MarkdownCode(report.Shorten(cells[len(cells)-1], 200))
	}
	b.WriteString(report.MarkdownTable(columns, rows))
	for i := range r.Top {
		for _, f := range r.Top[i].Flags {
			fmt.Fprintf(&b, "\n- **#%d %s**: %s", r.Top[i].Rank, f.Name, report.MarkdownText(f.Message))
		}
	}
	ranks, messages := r.security()
	for i, m := range messages {
		fmt.Fprintf(&b, "\n- **%s row security**: %s", ranks[i], report.MarkdownText(m))
	}
	r.activityMarkdown(&b)
	for _, n := range r.Notes {
		fmt.Fprintf(&b, "\n- note: %s", report.MarkdownText(n))
	}
	if line := r.Companion.line(); line != "" {
		fmt.Fprintf(&b, "\n- companion: %s", report.MarkdownText(line))
	}
	b.WriteString("\n")
	_, err := io.WriteString(w, b.String())
	return err
}

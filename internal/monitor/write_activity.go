package monitor

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/planvet/planvet/internal/report"
)

// activity writes connections, pools and waits.
func (r *Report) activity(t *report.Printer, width int) {
	if c := r.Connections; c != nil {
		t.Printf("\n")
		t.Paint(report.Bold, "connections")
		t.Printf(": %s\n", t.Styled(alarm(c.Saturated), c.Verdict))
		t.Table("  ", width, groupColumns, c.rows())
		for _, i := range c.Oldest {
			t.Printf("  process %d (%s) is idle in a transaction for %s, which is open for %s\n", i.PID,
				report.Printable(i.Application+" as "+i.User), report.MS(i.StateMS), report.MS(i.XactMS))
		}
	}
	if len(r.Pools) > 0 {
		t.Printf("\n")
		t.Paint(report.Bold, "pools")
		t.Printf("\n")
		t.Table("  ", width, poolColumns, poolRows(r.Pools))
	}
	if l := r.Locks; l != nil {
		t.Printf("\n")
		t.Paint(report.Bold, "locks")
		t.Printf(": %s in a queue, %s\n", report.Plural(l.Waiting(), "session"), report.Plural(int(l.Deadlocks), "deadlock"))
		for i := range l.Trees {
			l.Trees[i].write(t, "  ")
		}
	}
}

func alarm(on bool) report.Style {
	if on {
		return report.Red
	}
	return report.Plain
}

var groupColumns = []report.Column{{Title: "clients", Right: true}, {Title: "state"}, {Title: "waiting for"}, {Title: "longest", Right: true}, {Title: "user"}, {Title: "application"}}

func (c *Connections) rows() [][]string {
	var out [][]string
	for _, g := range c.Groups {
		state := g.State
		if state == "" {
			state = "hidden"
		}
		out = append(out, []string{strconv.Itoa(g.Count), state, g.Waiting, report.MS(g.OldestMS), g.User, g.Application})
	}
	return out
}

var poolColumns = []report.Column{
	{Title: "pool"}, {Title: "mode"}, {Title: "active", Right: true}, {Title: "size", Right: true}, {Title: "clients", Right: true}, {Title: "waiting", Right: true},
	{Title: "longest wait", Right: true}, {Title: "verdict"},
}

func poolRows(pools []Pool) [][]string {
	var out [][]string
	for _, p := range pools {
		size := ""
		if p.Size > 0 {
			size = strconv.Itoa(p.Size)
		}
		out = append(out, []string{p.Database + "/" + p.User, p.Mode, strconv.Itoa(p.Active), size, strconv.Itoa(p.Clients), strconv.Itoa(p.Waiting), report.MS(p.MaxWaitMS), p.Verdict})
	}
	return out
}

func (b *Blocker) write(t *report.Printer, indent string) {
	what := fmt.Sprintf("transaction open for %s", report.MS(b.XactMS))
	if b.Wants != "" {
		what = fmt.Sprintf("waits %s for %s", report.MS(b.WaitMS), b.Wants)
	}
	t.Printf("%sprocess %d (%s), %s, %s: %s\n", indent, b.PID, report.Printable(strings.TrimSpace(b.Application+" as "+b.User)), report.Printable(b.State),
		t.Styled(alarm(b.Wants != ""), what), t.Styled(report.Dim, report.Shorten(b.Query, 80)))
	for i := range b.Holds {
		b.Holds[i].write(t, indent+"  ")
	}
}

// activityMarkdown is the same for a document.
func (r *Report) activityMarkdown(b *strings.Builder) {
	table := func(title string, columns []report.Column, rows [][]string) {
		fmt.Fprintf(b, "\n#### %s\n\n", report.MarkdownText(title))
		for _, row := range rows {
			for k := range row {
				row[k] = report.MarkdownText(row[k])
			}
		}
		b.WriteString(report.MarkdownTable(columns, rows))
	}
	if r.Connections != nil {
		table("Connections: "+r.Connections.Verdict, groupColumns, r.Connections.rows())
	}
	if len(r.Pools) > 0 {
		table("Pools", poolColumns, poolRows(r.Pools))
	}
	if l := r.Locks; l != nil {
		fmt.Fprintf(b, "\n#### Locks: %s in a queue, %s\n", report.Plural(l.Waiting(), "session"), report.Plural(int(l.Deadlocks), "deadlock"))
		var hang func(x *Blocker, indent string)
		hang = func(x *Blocker, indent string) {
			fmt.Fprintf(b, "\n%s- process %d, %s", indent, x.PID, report.MarkdownText(x.State))
			if x.Wants != "" {
				fmt.Fprintf(b, ", waits %s for %s", report.MS(x.WaitMS), report.MarkdownText(x.Wants))
			}
			for i := range x.Holds {
				hang(&x.Holds[i], indent+"  ")
			}
		}
		for i := range l.Trees {
			hang(&l.Trees[i], "")
		}
		b.WriteString("\n")
	}
}

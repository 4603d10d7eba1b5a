package report

import (
	"fmt"
	"io"
	"strings"

	"github.com/planvet/planvet/rules"
)

// lineWriter writes a compiler's lines, path:line:column: severity: message [rule].
// A finding whose column is unknown has none. Each reader has its own word for info.
func lineWriter(u unit, info string) func(io.Writer, *Document, *WriteOptions) (string, error) {
	return func(w io.Writer, d *Document, o *WriteOptions) (string, error) {
		t, at := NewPrinter(w, TextOptions{}), placesOf(d, o.Working, u)
		for _, f := range standing(d) {
			severity := string(f.Severity)
			if f.Severity == rules.Info {
				severity = info
			}
			t.Printf("%s: %s: %s [%s]\n", Printable(placeOf(at.of(f.Location))), severity, says(f), Printable(f.Rule))
		}
		return "", t.err
	}
}

// writeCommands writes GitHub's workflow commands. A step shows so many annotations
// of each kind; the last notice is kept for saying what was cut.
func writeCommands(w io.Writer, d *Document, o *WriteOptions) (string, error) {
	const each = 10
	t, at := NewPrinter(w, TextOptions{}), placesOf(d, o.Repository, inUTF16)
	fs := worstFirst(standing(d))
	of := map[string][]*rules.Finding{}
	for _, f := range fs {
		of[command(f)] = append(of[command(f)], f)
	}
	kept := map[string]int{}
	shown := 0
	for _, c := range []string{"error", "warning", "notice"} {
		kept[c] = min(len(of[c]), each)
		shown += kept[c]
	}
	if shown < len(fs) && kept["notice"] == each {
		kept["notice"]--
		shown--
	}
	for _, c := range []string{"error", "warning", "notice"} {
		for _, f := range of[c][:kept[c]] {
			t.annotation(c, f, at)
		}
	}
	left := leftOut(shown, len(fs), "a step shows 10 annotations of each severity")
	if left != "" {
		t.Printf("::notice title=planvet::%s\n", commandData("annotated "+left))
	}
	return left, t.err
}

func command(f *rules.Finding) string {
	if f.Severity == rules.Info {
		return "notice"
	}
	return string(f.Severity)
}

func (t *Printer) annotation(command string, f *rules.Finding, at *places) {
	l := at.of(f.Location)
	var place strings.Builder
	place.WriteString("file=" + commandProperty(Printable(l.Path)))
	fmt.Fprintf(&place, ",line=%d", l.Line)
	// An annotation of several lines has no columns.
	if l.Column > 0 {
		fmt.Fprintf(&place, ",col=%d", l.Column)
	} else if l.EndLine > l.Line {
		fmt.Fprintf(&place, ",endLine=%d", l.EndLine)
	}
	t.Printf("::%s %s,title=%s::%s\n", command, place.String(), commandProperty("planvet "+Printable(f.Rule)), commandData(explains(f, at)))
}

// commandData escapes a workflow command's message, commandProperty a property.
func commandData(s string) string { return dataEscapes.Replace(s) }

func commandProperty(s string) string { return propertyEscapes.Replace(s) }

var (
	dataEscapes     = strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A")
	propertyEscapes = strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A", ":", "%3A", ",", "%2C")
)

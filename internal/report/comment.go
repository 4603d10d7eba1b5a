package report

import (
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/planvet/planvet/rules"
)

// writeMarkdown writes findings as Markdown, the worst first, in so many characters
// at most; they are counted as bytes, which are never fewer. Each finding is an item
// with its fix; what does not fit is counted.
func writeMarkdown(w io.Writer, d *Document, o *WriteOptions, room int) (string, error) {
	at := placesOf(d, o.Repository, inBytes)
	all := worstFirst(standing(d))
	head := fmt.Sprintf("<!-- planvet:v1 findings -->\n## planvet\n\n%s.\n", MarkdownText(findingsLine(d, TextOptions{})))
	tail := fmt.Sprintf("\n%s; %s.\n", MarkdownText(checked(d)), gapsLine(d, true))
	if lines := scopeLines(d); len(lines) > 0 {
		tail = "\n" + MarkdownText(strings.Join(lines, "; ")) + "\n" + tail
	}
	if line := refutedLine(d); line != "" {
		tail = "\n" + line + "\n" + tail
	}
	// What is said of the cut takes less than this.
	const last = 256
	left := room - len(head) - len(tail) - last
	var b strings.Builder
	kept := 0
	for _, f := range all {
		item := markdownItem(f, at) + rememberedItems(d.Remembered[f.ID])
		if len(item) > left {
			// A fix that is huge must not hide the finding, nor those after it.
			if item = markdownLine(f, at); len(item) > left {
				break
			}
		}
		left -= len(item)
		b.WriteString(item)
		kept++
	}
	cut := leftOut(kept, len(all), "no more fit in "+Plural(room, "character"))
	if kept > 0 {
		head += "\n"
	}
	if cut != "" {
		tail = "\n**" + cut + ".**\n" + tail
	}
	text := head + b.String() + tail
	if len(text) > room {
		return leftOut(0, len(all), "there is no room for a report"), nil
	}
	_, err := io.WriteString(w, text)
	return cut, err
}

func markdownLine(f *rules.Finding, at *places) string {
	return fmt.Sprintf("- **%s** `%s` %s [`%s`](%s)\n", f.Severity, markdownCode(placeOf(at.of(f.Location))), MarkdownText(clip(says(f))),
		markdownCode(f.Rule), RulePage(uri(f.Rule)))
}

// clip shortens what would take a whole comment.
func clip(s string) string {
	const most = 2000
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most], "") + "…"
}

// markdownItem is a finding with its other ends and its fix.
func markdownItem(f *rules.Finding, at *places) string {
	var b strings.Builder
	b.WriteString(markdownLine(f, at))
	for _, r := range f.Related {
		fmt.Fprintf(&b, "  see `%s`: %s\n", markdownCode(placeOf(at.of(r.Location))), MarkdownText(r.Message))
	}
	if f.Fix != nil {
		if len(f.Fix.SQL) > 0 {
			b.WriteString("\n" + indented(MarkdownFence("sql", FixSQL(f.Fix)), "  "))
		}
		if f.Fix.Note != "" {
			b.WriteString("\n  " + MarkdownText(f.Fix.Note) + "\n")
		}
	}
	return b.String()
}

// rememberedItems are what a memory tells of a finding.
func rememberedItems(rs []Remembered) string {
	var b strings.Builder
	for _, r := range rs {
		b.WriteString("\n  remembered: " + MarkdownText(clip(r.Text)) + "\n")
	}
	return b.String()
}

// FixSQL is a fix as one script.
func FixSQL(f *rules.Fix) string {
	var b strings.Builder
	for _, s := range f.SQL {
		b.WriteString(strings.TrimRight(dedent(s), "; \n") + ";\n")
	}
	return strings.ToValidUTF8(b.String(), string(utf8.RuneError))
}

func indented(s, by string) string {
	return by + strings.ReplaceAll(strings.TrimSuffix(s, "\n"), "\n", "\n"+by) + "\n"
}

// refutedLine counts what a planner took back.
func refutedLine(d *Document) string {
	n := count(d.Findings, func(f *rules.Finding) bool { return !live(f) })
	if n == 0 {
		return ""
	}
	return Plural(n, "finding") + " refuted by a planner; `planvet check --format json` has them with their evidence."
}

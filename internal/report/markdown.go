package report

import "strings"

// MarkdownText makes a text stand as it is in Markdown, on one line, in a cell of a
// table too.
func MarkdownText(s string) string {
	return mdEscapes.Replace(Printable(strings.Join(strings.Fields(s), " ")))
}

var mdEscapes = strings.NewReplacer(
	`\`, `\\`, "`", "\\`", "*", `\*`, "_", `\_`, "[", `\[`, "]", `\]`, "<", "&lt;", ">", "&gt;", "|", `\|`, "#", `\#`, "@", "&#64;",
)

// markdownCode makes a text stand between back-ticks, on one line.
func markdownCode(s string) string {
	return strings.ReplaceAll(Printable(strings.Join(strings.Fields(s), " ")), "`", "'")
}

// MarkdownCode is a text as code, in a cell of a table too; "" where there is none.
// A back-tick becomes an apostrophe.
func MarkdownCode(s string) string {
	if s = markdownCode(s); s == "" {
		return ""
	}
	// In a table a bar ends the cell even within back-ticks.
	return "`" + strings.ReplaceAll(s, "|", `\|`) + "`"
}

// MarkdownFence is a block of code, exactly as it is but for what a terminal acts
// on. Its fence is longer than any within.
func MarkdownFence(language, s string) string {
	lines := strings.Split(strings.Trim(strings.ReplaceAll(s, "\r\n", "\n"), "\n"), "\n")
	fence, run := 3, 0
	for i, l := range lines {
		lines[i] = Printable(l)
		run = 0
		for _, r := range l {
			if run++; r != '`' {
				run = 0
			}
			fence = max(fence, run+1)
		}
	}
	mark := strings.Repeat("`", fence)
	return mark + language + "\n" + strings.Join(lines, "\n") + "\n" + mark + "\n"
}

// MarkdownTable is a table of cells that are Markdown already; columns that are
// right hold figures. Rows may follow one by one.
func MarkdownTable(columns []Column, rows [][]string) string {
	var b strings.Builder
	for _, c := range columns {
		b.WriteString("| " + c.Title + " ")
	}
	b.WriteString("|\n")
	for _, c := range columns {
		if b.WriteString("| ---"); c.Right {
			b.WriteString(":")
		}
		b.WriteString(" ")
	}
	b.WriteString("|\n")
	for _, row := range rows {
		b.WriteString(MarkdownRow(row))
	}
	return b.String()
}

// MarkdownRow is one row of a table.
func MarkdownRow(cells []string) string { return "| " + strings.Join(cells, " | ") + " |\n" }

// MarkdownLines are the first lines of a text that fit in so many bytes, and a last one that
// says that there were more; "" where there is no room even for that.
func MarkdownLines(text string, room int) string {
	if len(text) <= room {
		return text
	}
	const said = "\n**What follows is left out: it does not fit.**\n"
	if room <= len(said) {
		return ""
	}
	kept := text[:room-len(said)]
	return kept[:strings.LastIndexByte(kept, '\n')+1] + said
}

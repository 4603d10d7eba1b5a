package report

import (
	"fmt"
	"io"
	"slices"

	"github.com/planvet/planvet/rules"
)

// Format is one way to write what a check found.
type Format struct {
	Name string
	// For says who reads it.
	For string
	// Columns says what its columns count; "" where it has none.
	Columns string
	// Limit is the reader's, and what of the findings is kept; "" where all are.
	Limit string
	// Log is set where the output is lines of a log, which may follow others.
	Log bool

	write func(w io.Writer, d *Document, o *WriteOptions) (left string, err error)
}

// WriteOptions are what writers cannot tell from a document.
type WriteOptions struct {
	Text TextOptions
	// FailOn is the policy's: what is no failure of the run is none of JUnit either.
	FailOn string
	// Repository leads from the repository's root to the project's, Working from the
	// working directory; "" where they are the same. Platforms resolve paths against
	// the first, editors against the second.
	Repository, Working string
	// Taken is how many bytes the file already holds, where it is appended to.
	Taken int64
}

// Formats are all of them.
func Formats() []Format {
	return []Format{
		{
			Name: "text", For: "people: excerpts with carets, fixes, verdicts", Columns: bytesUnit, Log: true,
			write: func(w io.Writer, d *Document, o *WriteOptions) (string, error) { return "", Text(w, d, o.Text) },
		},
		{
			Name: "gcc", For: "Vim, Emacs and whatever reads a compiler's lines", Columns: bytesUnit, Log: true,
			write: lineWriter(inBytes, "note"),
		},
		{
			Name: "vscode", For: "the problem matcher of VS Code", Columns: utf16Unit, Log: true,
			write: lineWriter(inUTF16, "info"),
		},
		{
			Name: "json", For: "programs; versioned, with a schema", Columns: bytesUnit,
			write: func(w io.Writer, d *Document, _ *WriteOptions) (string, error) { return "", JSON(w, d) },
		},
		{
			Name: "jsonl", For: "programs that read line by line, such as jq", Columns: bytesUnit,
			write: func(w io.Writer, d *Document, _ *WriteOptions) (string, error) { return "", JSONLines(w, d) },
		},
		{
			Name: "sarif", For: "GitHub code scanning, SARIF viewers (2.1.0)", Columns: utf16Unit,
			Limit: "25,000 results, of which GitHub shows 5,000; 10 MB compressed; 100 related places a result",
			write: writeSARIF,
		},
		{
			Name: "github", For: "GitHub annotations, by workflow commands in the log", Columns: utf16Unit, Log: true,
			Limit: "10 errors, 10 warnings and 10 notices a step",
			write: writeCommands,
		},
		{
			Name: "github-summary", For: "the page of a GitHub run: Markdown, appended to $GITHUB_STEP_SUMMARY", Columns: bytesUnit,
			Limit: "1 MiB a step",
			write: func(w io.Writer, d *Document, o *WriteOptions) (string, error) {
				return writeMarkdown(w, d, o, int(max(StepSummaryLimit-o.Taken, 0)))
			},
		},
		{
			Name: "gitlab", For: "GitLab code quality", Columns: "",
			write: writeCodeQuality,
		},
		{
			Name: "rdjson", For: "reviewdog", Columns: bytesUnit,
			write: writeRDJSON,
		},
		{
			Name: "junit", For: "test reports of Jenkins, GitLab and others", Columns: bytesUnit,
			Limit: "30 MB, GitLab's",
			write: writeJUnit,
		},
		{
			Name: "checkstyle", For: "Jenkins, reviewdog", Columns: bytesUnit,
			write: writeCheckstyle,
		},
		{
			Name: "markdown", For: "a comment on a pull request", Columns: bytesUnit,
			Limit: "65,536 characters",
			write: func(w io.Writer, d *Document, o *WriteOptions) (string, error) {
				return writeMarkdown(w, d, o, CommentLimit)
			},
		},
		{
			Name: "html", For: "people: one page that loads nothing", Columns: bytesUnit,
			write: writeFindingsPage,
		},
		{
			Name: "checklist", For: "the performance checklist of a pull request, Markdown", Columns: bytesUnit,
			Limit: "65,536 characters",
			write: func(w io.Writer, d *Document, _ *WriteOptions) (string, error) { return "", Checklist(w, d) },
		},
	}
}

// Limits of a comment and of the summary of a step on GitHub, in characters, with room for
// what they add themselves.
const (
	CommentLimit     = 65_536 - 536
	StepSummaryLimit = 1<<20 - 4096
)

// FormatNamed returns the format of a name, nil where there is none.
func FormatNamed(name string) *Format {
	all := Formats()
	i := slices.IndexFunc(all, func(f Format) bool { return f.Name == name })
	if i < 0 {
		return nil
	}
	return &all[i]
}

// FormatNames are the names in the order of Formats.
func FormatNames() []string {
	var names []string
	for _, f := range Formats() {
		names = append(names, f.Name)
	}
	return names
}

// Write writes a document. What the format's limit left out is said in left, in
// words, and where the format has a place for it in the output too.
func (f *Format) Write(w io.Writer, d *Document, o *WriteOptions) (left string, err error) {
	if o == nil {
		o = &WriteOptions{}
	}
	return f.write(w, d, o)
}

// standing are the findings that no planner refuted, in the order of places.
func standing(d *Document) []*rules.Finding {
	var out []*rules.Finding
	for i := range d.Findings {
		if f := &d.Findings[i]; live(f) {
			out = append(out, f)
		}
	}
	return out
}

// worstFirst sorts findings for a reader who takes so many only: certain before
// possible, then by severity, then by what a planner said. Places decide the rest.
func worstFirst(fs []*rules.Finding) []*rules.Finding {
	fs = slices.Clone(fs)
	slices.SortStableFunc(fs, func(a, b *rules.Finding) int { return badness(b) - badness(a) })
	return fs
}

func badness(f *rules.Finding) int {
	n := weight(f) * 4
	switch f.Verdict.Status {
	case rules.Confirmed:
		return n + 2
	case rules.Inconclusive:
		return n
	}
	return n + 1
}

// leftOut says that a limit kept so many of all findings.
func leftOut(kept, all int, why string) string {
	if kept == all {
		return ""
	}
	return fmt.Sprintf("%s of %s, the worst first; %s", rules.Thousands(int64(kept)), Plural(all, "finding"), why)
}

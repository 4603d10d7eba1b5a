package main

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/planvet/planvet/internal/bench/junit"
	"github.com/planvet/planvet/internal/bench/load"
	"github.com/planvet/planvet/internal/bench/page"
	"github.com/planvet/planvet/internal/bench/results"
	"github.com/planvet/planvet/internal/bench/verdict"
	"github.com/planvet/planvet/internal/config"
	"github.com/planvet/planvet/internal/pullrequest"
	"github.com/planvet/planvet/internal/report"
)

// benchFormats are those of a benchmark, and of a gate.
var benchFormats = []string{"text", "markdown", "html", "junit", "json", "github-summary"}

// benchEndings are formats by the endings of files.
var benchEndings = map[string]string{".md": "markdown", ".markdown": "markdown", ".html": "html", ".htm": "html", ".xml": "junit", ".json": "json", ".txt": "text"}

// benchOutput is a format, and where it goes: file is "" for stdout.
type benchOutput struct{ format, file string }

// benchOutputs reads --format, --report and --output, as check does. A file without a format
// gets that of --format where it is set, else that of its ending, else Markdown with --report.
func benchOutputs(c *cli.Context) ([]benchOutput, error) {
	format, set := c.String("format"), c.IsSet("format")
	if !slices.Contains(benchFormats, format) {
		return nil, fmt.Errorf("unknown format %q%s", format, config.Hint(format, benchFormats))
	}
	if c.Bool("report") {
		if set && format == "text" {
			return nil, errors.New("--report is Markdown and --format text is not: use one of them")
		}
		if !set {
			format = "markdown"
		}
	}
	values := textsOf(c, "output")
	if one := c.String("output"); values == nil && one != "" {
		values = []string{one} // of commands that write one report
	}
	var outs []benchOutput
	taken := !set
	for _, v := range values {
		name, file, pair := strings.Cut(v, "=")
		switch {
		case slices.Contains(benchFormats, v):
			outs = append(outs, benchOutput{v, ""})
		case pair && slices.Contains(benchFormats, name) && file != "":
			outs = append(outs, benchOutput{name, file})
		case v == "" || pair && slices.Contains(benchFormats, name):
			return nil, fmt.Errorf("--output %q names no file: write FORMAT=FILE, a format or a file", v)
		case pair && formatWord.MatchString(name):
			return nil, fmt.Errorf("--output %s: unknown format %q%s", v, name, config.Hint(name, benchFormats))
		case set:
			outs, taken = append(outs, benchOutput{format, v}), true
		default:
			outs = append(outs, benchOutput{cmp.Or(benchEndings[strings.ToLower(filepath.Ext(v))], format), v})
		}
	}
	if len(outs) == 0 || !taken {
		outs = append(outs, benchOutput{format, ""})
	}
	at := map[string]bool{}
	for i := range outs {
		o := &outs[i]
		if o.format == "github-summary" && o.file == "" {
			if o.file = os.Getenv(summaryEnv); o.file == "" {
				return nil, fmt.Errorf("%s is not set, there is no step to summarise: write github-summary=FILE, or markdown", summaryEnv)
			}
		}
		if key := o.file; at[key] {
			return nil, fmt.Errorf("two reports go to %s: write one of them to a file of its own, as FORMAT=FILE", cmp.Or(key, "stdout"))
		}
		at[o.file] = true
	}
	return outs, nil
}

// oneReport is for what is written as text, Markdown or JSON, and to one place alone.
func oneReport(c *cli.Context, what string) error {
	if len(textsOf(c, "output")) > 1 || c.Bool("comment") {
		return fmt.Errorf("%s is written to one place: use one --output FILE, and no --comment", what)
	}
	return oneOf("format", c.String("format"), "text", "markdown", "json")
}

// benched is what was measured, and what was decided; one of both may be nil.
type benched struct {
	r   *load.Report
	out *verdict.Report
}

// writeBench writes all reports, and the comment. A file that cannot be written does not keep
// the others from it.
func writeBench(c *cli.Context, r *load.Report, out *verdict.Report) error {
	outs, err := benchOutputs(c)
	if err != nil {
		return usage(err)
	}
	b := &benched{r, out}
	var errs []error
	for _, o := range outs {
		if err := b.to(c, o); err != nil {
			errs = append(errs, fmt.Errorf("writing the %s report: %w", o.format, err))
		}
	}
	if c.Bool("comment") {
		errs = append(errs, b.comment(c))
	}
	return errors.Join(errs...)
}

func (b *benched) to(c *cli.Context, o benchOutput) error {
	if o.format == "github-summary" {
		taken := int64(0)
		if s, err := os.Stat(o.file); err == nil {
			taken = s.Size()
		}
		return appendTo(o.file, func(w io.Writer) error {
			_, err := io.WriteString(w, b.markdown(c, o.format, max(0, report.StepSummaryLimit-int(taken))))
			return err
		})
	}
	return writeTo(c.App.Writer, o.file, func(w io.Writer) error {
		switch o.format {
		case "json":
			if b.out != nil {
				return b.out.JSON(w)
			}
			return results.Write(w, b.r.Results)
		case "markdown":
			_, err := io.WriteString(w, b.markdown(c, o.format, math.MaxInt))
			return err
		case "html":
			return page.HTML(w, b.page())
		case "junit":
			return junit.Write(w, b.out, b.results())
		}
		return b.text(w, report.TextOptions{Color: o.file == "" && report.ColorFor(w, c.String("color"))})
	})
}

func (b *benched) results() *results.Results {
	if b.r == nil {
		return nil
	}
	return b.r.Results
}

func (b *benched) page() *page.Run {
	p := &page.Run{Gate: b.out, Results: b.results()}
	if b.r != nil {
		p.State, p.Said = b.r.State(), b.r.Lines()
	}
	return p
}

func (b *benched) text(w io.Writer, o report.TextOptions) (err error) {
	if b.r != nil {
		err = load.Text(w, b.r, o)
	}
	if b.r != nil && b.out != nil && err == nil {
		_, err = io.WriteString(w, "\n")
	}
	if b.out != nil && err == nil {
		err = b.out.Text(w, o)
	}
	return err
}

// markdown is the verdict, then the figures, in so many bytes; what is cut is said on stderr
// too.
func (b *benched) markdown(c *cli.Context, format string, room int) string {
	var text, left string
	if b.out != nil {
		if text, left = b.out.MarkdownWithin(room); left != "" {
			fmt.Fprintf(c.App.ErrWriter, "planvet: %s: %s\n", format, left)
		}
	}
	if b.r == nil {
		return text
	}
	if text != "" {
		text += "\n"
	}
	var figures strings.Builder
	_ = load.Markdown(&figures, b.r) // into memory
	more := figures.String()
	if b.out != nil { // the first marker names the comment
		more = strings.TrimPrefix(more, load.Marker+"\n")
	}
	fit := report.MarkdownLines(more, room-len(text))
	if len(fit) < len(more) {
		fmt.Fprintf(c.App.ErrWriter, "planvet: %s: the figures of the run do not all fit in %s\n", format, report.Plural(room, "character"))
	}
	return text + fit
}

// pullRequest is that which gets the comment; nil for none.
func pullRequest(c *cli.Context) (*pullrequest.Target, error) {
	switch n := c.Int("pull-request"); {
	case c.IsSet("pull-request") && n < 1:
		return nil, fmt.Errorf("--pull-request %d: use the number of one", n)
	case !c.Bool("comment") && c.IsSet("pull-request"):
		return nil, errors.New("--pull-request is for --comment")
	case !c.Bool("comment"):
		return nil, nil
	}
	t, err := pullrequest.FromEnvironment(os.Getenv, c.Int("pull-request"), os.ReadFile)
	if err != nil {
		return nil, fmt.Errorf("--comment: %w", err)
	}
	return t, nil
}

// comment keeps the pull request's comment up to date.
func (b *benched) comment(c *cli.Context) error {
	t, err := pullRequest(c)
	if err != nil {
		return usage(err)
	}
	marker := verdict.Marker
	if b.out == nil {
		marker = load.Marker
	}
	return commentOn(c, t, marker, b.markdown(c, "comment", report.CommentLimit))
}

// commentOn writes the comment that begins with marker. A token that may not is said and no
// failure.
func commentOn(c *cli.Context, t *pullrequest.Target, marker, body string) error {
	address, err := t.Comment(c.Context, marker, body)
	switch {
	case errors.Is(err, pullrequest.ErrForbidden):
		fmt.Fprintf(c.App.ErrWriter, "planvet: no comment on pull request %d: %v\n", t.Number, err)
		return nil
	case err != nil:
		return fmt.Errorf("--comment: %w", err)
	}
	fmt.Fprintf(c.App.ErrWriter, "planvet: commented: %s\n", report.Printable(address))
	return nil
}

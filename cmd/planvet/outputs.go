package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/planvet/planvet/internal/config"
	"github.com/planvet/planvet/internal/report"
)

// outputFlags are --format and --output, which outputsOf reads.
func outputFlags() []cli.Flag {
	return []cli.Flag{
		&cli.StringFlag{Name: "format", Value: "text", Usage: "format of what goes to stdout: " + strings.Join(report.FormatNames(), ", ")},
		&cli.GenericFlag{
			Name: "output", Aliases: []string{"o"}, Value: &texts{},
			Usage: "write `FORMAT=FILE`, FORMAT to stdout, or FILE in --format; repeatable, and then stdout gets what is asked for only",
		},
	}
}

// output is one report that was asked for.
type output struct {
	format *report.Format
	// file is "" for stdout.
	file string
	// adds is set where the file is appended to.
	adds bool
}

func (o output) where() string {
	if o.file == "" {
		return "stdout"
	}
	return o.file
}

// summaryEnv names the file of a step's summary.
const summaryEnv = "GITHUB_STEP_SUMMARY"

// formatWord is what may stand for a format; what is none is a file's name.
var formatWord = regexp.MustCompile(`^[a-z][a-z0-9-]*$`)

// outputsOf reads --format and --output. A value of --output is FORMAT=FILE, the name
// of a format, which goes to stdout, or a file, which gets the format of --format.
// A format that --format names and no such file takes goes to stdout too.
func outputsOf(c *cli.Context) ([]output, error) {
	var outs []output
	format, taken := c.String("format"), !c.IsSet("format")
	if report.FormatNamed(format) == nil {
		return nil, unknownFormat("--format "+format, format)
	}
	for _, v := range textsOf(c, "output") {
		name, file, pair := strings.Cut(v, "=")
		switch {
		case report.FormatNamed(name) != nil && pair:
			if file == "" {
				return nil, fmt.Errorf("--output %s names no file: write %sFILE, or %s for stdout", v, v, name)
			}
		case report.FormatNamed(name) != nil:
			file = "-"
		case pair && formatWord.MatchString(name):
			return nil, unknownFormat("--output "+v, name)
		case v == "":
			return nil, fmt.Errorf("--output is empty: write FORMAT=FILE, a format or a file")
		default:
			name, file, taken = format, v, true
		}
		o, err := outputTo(name, file)
		if err != nil {
			return nil, err
		}
		outs = append(outs, o)
	}
	if len(outs) == 0 || !taken {
		o, err := outputTo(format, "-")
		if err != nil {
			return nil, err
		}
		outs = append([]output{o}, outs...)
	}
	return outs, apart(outs)
}

func unknownFormat(flag, name string) error {
	names := report.FormatNames()
	hint := config.Hint(name, names)
	if hint == "" {
		hint = "; there are " + strings.Join(names, ", ")
	}
	return fmt.Errorf("%s: unknown format %q%s", flag, name, hint)
}

// outputTo is a format's output to a file, - for where it goes by itself.
func outputTo(name, file string) (output, error) {
	o := output{format: report.FormatNamed(name), file: file}
	if file != "-" {
		return o, nil
	}
	o.file = ""
	if name == "github-summary" {
		if o.file, o.adds = os.Getenv(summaryEnv), true; o.file == "" {
			return o, fmt.Errorf("%s is not set, there is no step to summarise: write github-summary=FILE, or markdown", summaryEnv)
		}
	}
	return o, nil
}

// apart refuses outputs that would mix in one place.
func apart(outs []output) error {
	at := map[string]output{}
	for _, o := range outs {
		key := o.file
		if key != "" {
			key = filepath.Clean(key)
		}
		if other, twice := at[key]; twice && (key != "" || !other.format.Log || !o.format.Log || other.format.Name == o.format.Name) {
			return fmt.Errorf("%s and %s both go to %s: write one of them to a file of its own, as FORMAT=FILE", other.format.Name, o.format.Name, o.where())
		}
		at[key] = o
	}
	return nil
}

// writeOutputs writes every report, and says on stderr what a limit left out. A file
// that cannot be written does not keep the others from it.
func writeOutputs(stdout, stderr io.Writer, outs []output, d *report.Document, o report.WriteOptions) error {
	var errs []error
	color := o.Text.Color
	for _, out := range outs {
		o.Text.Color = color && out.file == ""
		left := ""
		err := out.to(stdout, &o, func(w io.Writer) (err error) {
			left, err = out.format.Write(w, d, &o)
			return err
		})
		if err != nil {
			errs = append(errs, fmt.Errorf("writing the %s report: %w", out.format.Name, err))
		} else if left != "" {
			fmt.Fprintf(stderr, "planvet: %s: %s\n", out.format.Name, left)
		}
	}
	return errors.Join(errs...)
}

func (o output) to(stdout io.Writer, options *report.WriteOptions, write func(io.Writer) error) error {
	if o.file == "" {
		return write(stdout)
	}
	mode := os.O_TRUNC
	if o.adds {
		mode = os.O_APPEND
	}
	f, err := os.OpenFile(o.file, os.O_WRONLY|os.O_CREATE|mode, 0o666)
	if err != nil {
		return err
	}
	options.Taken = 0
	if o.adds {
		s, err := f.Stat()
		if err != nil {
			f.Close()
			return err
		}
		options.Taken = s.Size()
	}
	return errors.Join(write(f), f.Close())
}

// rooted tells how a project's paths are seen from the repository that it is in and
// from the working directory.
func rooted(root string) (repository, working string) {
	root = resolved(root)
	wd, err := os.Getwd()
	if err != nil {
		return "", ""
	}
	if working, err = filepath.Rel(resolved(wd), root); err != nil || working == "." {
		working = ""
	}
	working = filepath.ToSlash(working)
	for dir := root; ; dir = filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, ".git")); err == nil {
			if rel, err := filepath.Rel(dir, root); err == nil && rel != "." {
				return filepath.ToSlash(rel), working
			}
			return "", working
		}
		if dir == filepath.Dir(dir) {
			break
		}
	}
	// Without a repository a platform's root is where it runs planvet.
	if !strings.HasPrefix(working, "..") {
		repository = working
	}
	return repository, working
}

func resolved(path string) string {
	if p, err := filepath.EvalSymlinks(path); err == nil {
		return p
	}
	return path
}

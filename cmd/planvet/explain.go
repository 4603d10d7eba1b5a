package main

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/planvet/planvet/internal/audit"
	"github.com/planvet/planvet/internal/engine"
	"github.com/planvet/planvet/internal/explain"
	"github.com/planvet/planvet/internal/memory"
	"github.com/planvet/planvet/internal/report"
)

func explainCommand(code *report.ExitCode) *cli.Command {
	return &cli.Command{
		Name:      "explain",
		Usage:     "analyse one query on a server: its time, its plan, what would help",
		ArgsUsage: "[-]",
		Description: "Plans the statement for every value and for given, frequent and rare ones, and runs\n" +
			"it where that is safe: a SELECT on this machine that calls no function with effects.\n" +
			"Everything happens in a read-only transaction with timeouts that is rolled back.\n" +
			"- reads the statement from standard input.",
		Flags: explainFlags(),
		Action: func(c *cli.Context) error {
			if err := explainQuery(c); err != nil {
				return err
			}
			*code = report.ExitClean
			return nil
		},
	}
}

// explainFlags are those of commands that ask about a statement.
func explainFlags() []cli.Flag {
	return slices.Concat([]cli.Flag{
		&cli.StringFlag{Name: "sql", Usage: "the statement"},
		&cli.StringFlag{Name: "file", Aliases: []string{"f"}, Usage: "read the statement from `FILE`"},
		&cli.Int64Flag{Name: "queryid", DefaultText: "none", Usage: "take the statement from pg_stat_statements by its `ID`"},
		&cli.StringFlag{Name: "params", Usage: "values of $1, $2 … as a `JSON` array; missing ones are drawn from statistics"},
		&cli.BoolFlag{Name: "shadow", Usage: "ask a throwaway PostgreSQL with the project's schema and made rows instead"},
		&cli.Int64Flag{Name: "rows", Value: 10000, Usage: "with --shadow: make `N` rows in each table"},
		&cli.StringFlag{Name: "database", Usage: "with --shadow: the database, where a project has several"},
		&cli.StringFlag{Name: "config", Usage: "with --shadow: read `FILE` instead of the planvet.yaml that is found"},
		&cli.StringFlag{Name: "role", Usage: "plan and run as this role"},
	}, serverFlags(), identityFlags(), []cli.Flag{
		&cli.IntFlag{Name: "runs", Value: 5, Usage: "number of warm runs"},
		&cli.BoolFlag{Name: "show-values", Usage: "print values that come from the server's statistics: they are data"},
		&cli.BoolFlag{Name: "analyze", Usage: "fail where the statement is not run"},
		&cli.BoolFlag{Name: "no-analyze", Usage: "plan only"},
		&cli.BoolFlag{Name: "allow-remote-analyze", Usage: "run it on a host that is not this machine too"},
		&cli.BoolFlag{Name: "analyze-writes", Usage: "run a statement that writes too, and roll it back"},
		&cli.StringSliceFlag{Name: "allow-functions", Usage: "functions that the statement may call when it runs: `NAME[,NAME]`"},
		&cli.DurationFlag{Name: "timeout", DefaultText: "5s, with --shadow 30s", Usage: "bound of each statement"},
		&cli.BoolFlag{Name: "rls-overhead", Usage: "measure what row security costs the statement as --role"},
		&cli.BoolFlag{Name: "no-advice", Usage: "leave out what would help: checking that starts a throwaway PostgreSQL"},
		&cli.StringFlag{Name: "format", Value: "text", Usage: "text, json, markdown or html"},
		&cli.StringFlag{Name: "output", Aliases: []string{"o"}, Usage: "write the report to `FILE`"},
		&cli.StringFlag{Name: "color", Value: "auto", Usage: "auto, always or never"},
	}, auditFlags())
}

func explainQuery(c *cli.Context) error {
	o, err := explainOptions(c)
	if err != nil {
		return usage(err)
	}
	return asked(c, "explain", &o, func() (answer, error) {
		r, err := explain.Explain(c.Context, o)
		if err != nil {
			return answer{}, err
		}
		if told := recalled(c.Context, c.App.ErrWriter, ".", memory.Shape(r.SQL)); len(told) > 0 {
			r.Remembered = told[0]
		}
		return answer{r.Events(), func(w io.Writer) error { return writeExplained(c, w, r) }}, nil
	})
}

// answer is what came of a question: for the audit log and for who asked.
type answer struct {
	events []audit.Event
	write  func(io.Writer) error
}

// asked does what stands around a question about statements: the correlation id and
// the log, progress, the throwaway server of --shadow, and writing the answer.
func asked(c *cli.Context, command string, o *explain.Options, ask func() (answer, error)) (err error) {
	id, log, err := audited(c, command)
	if err != nil {
		return err
	}
	o.CorrelationID = id
	progress := report.NewProgress(c.App.ErrWriter)
	defer progress.Done()
	o.Progress = func(what string) { progress.Step(what, 0, 0) }
	if c.Bool("shadow") {
		stop, started := explainShadow(c, progress, o)
		if started != nil {
			return started
		}
		defer func() { err = errors.Join(err, stop()) }()
	}
	got, err := ask()
	var wrong *explain.Usage
	if errors.As(err, &wrong) {
		return usage(err)
	}
	if err != nil {
		return err
	}
	progress.Done()
	if log != nil {
		if err := log.Append(got.events...); err != nil {
			return err
		}
	}
	return writeTo(c.App.Writer, c.String("output"), got.write)
}

// writeExplained writes a report in the format that was asked for.
func writeExplained(c *cli.Context, w io.Writer, r *explain.Report) error {
	switch c.String("format") {
	case "json":
		return explain.JSON(w, r)
	case "markdown":
		return explain.Markdown(w, r)
	case "html":
		return explain.HTML(w, r)
	}
	return explain.Text(w, r, report.TextOptions{Color: report.ColorFor(w, c.String("color")), Width: report.Width(w)})
}

// explainOptions reads the flags; its errors are of usage.
func explainOptions(c *cli.Context) (o explain.Options, err error) {
	o = explain.Options{
		URL: c.String("database-url"), QueryID: c.Int64("queryid"), Runs: c.Int("runs"), ShowValues: c.Bool("show-values"),
		Analyze: c.Bool("analyze"), NoAnalyze: c.Bool("no-analyze"), AllowRemote: c.Bool("allow-remote-analyze"),
		AnalyzeWrites: c.Bool("analyze-writes"), AllowFunctions: c.StringSlice("allow-functions"), Timeout: c.Duration("timeout"),
		RLSOverhead: c.Bool("rls-overhead"), NoAdvice: c.Bool("no-advice"),
	}
	if err := errors.Join(
		oneOf("format", c.String("format"), "text", "json", "markdown", "html"),
		oneOf("color", c.String("color"), "auto", "always", "never"),
	); err != nil {
		return o, err
	}
	switch {
	case o.Analyze && o.NoAnalyze:
		return o, errors.New("--analyze and --no-analyze exclude each other")
	case o.Runs < 1:
		return o, fmt.Errorf("--runs %d: use a positive number", o.Runs)
	case o.Timeout < 0:
		return o, fmt.Errorf("--timeout %s: use a positive duration", o.Timeout)
	case o.RLSOverhead && c.String("role") == "":
		return o, errors.New("--rls-overhead needs --role ROLE: row security is paid by a role")
	case c.Bool("shadow") && c.Int64("rows") < 1:
		return o, fmt.Errorf("--rows %d: use a positive number", c.Int64("rows"))
	case c.Bool("shadow") && o.QueryID != 0:
		return o, errors.New("--queryid is of a server: it does not go with --shadow")
	case c.Bool("shadow"):
		o.URL = ""
	case o.URL == "":
		return o, errors.New("explain needs --database-url URL, or PLANVET_DATABASE_URL or DATABASE_URL in the environment, or --shadow")
	}
	if c.String("url") == "" { // an endpoint's statements are found
		if o.SQL, err = explainText(c); err != nil {
			return o, err
		}
	}
	if o.Params, err = explain.ReadParams(c.String("params")); err != nil {
		return o, err
	}
	o.Identity.Role = c.String("role")
	claims, settings, err := readIdentity(c)
	if claims != "" {
		settings["request.jwt.claims"] = claims
	}
	o.Identity.Settings = settings
	return o, err
}

// explainText is the statement, from the one place that names it.
func explainText(c *cli.Context) (string, error) {
	var from []string
	for _, f := range []string{"sql", "file", "queryid"} {
		if c.IsSet(f) {
			from = append(from, "--"+f)
		}
	}
	args := c.Args().Slice()
	if slices.Equal(args, []string{"-"}) {
		from = append(from, "-")
	} else if len(args) > 0 {
		return "", fmt.Errorf("explain takes no argument %q: give the statement with --sql, --file, --queryid or -", args[0])
	}
	switch {
	case len(from) == 0:
		return "", errors.New("explain needs a statement: --sql SQL, --file FILE, --queryid ID, or - for standard input")
	case len(from) > 1:
		return "", fmt.Errorf("%s: give the statement once", strings.Join(from, " and "))
	}
	switch from[0] {
	case "--file":
		text, err := os.ReadFile(c.String("file"))
		if err != nil {
			return "", fmt.Errorf("reading the statement: %w", err)
		}
		return string(text), nil
	case "-":
		text, err := io.ReadAll(c.App.Reader)
		if err != nil {
			return "", fmt.Errorf("reading the statement: %w", err)
		}
		return string(text), nil
	}
	return c.String("sql"), nil
}

// explainShadow starts a throwaway PostgreSQL for the question.
func explainShadow(c *cli.Context, progress *report.Progress, o *explain.Options) (stop func() error, err error) {
	p, err := engine.Open(engine.Options{ConfigFile: c.String("config"), NoGo: true, Progress: progress.Step})
	if err != nil {
		return nil, err
	}
	if err := p.Load(c.Context); err != nil {
		return nil, err
	}
	db, err := p.DatabaseOf(c.String("database"))
	if err != nil {
		return nil, err
	}
	s, err := p.Shadow(c.Context, engine.ShadowOptions{Rows: c.Int64("rows"), Role: c.String("role")})
	if err != nil {
		return nil, err
	}
	o.Own = true
	settings := map[string]string{"search_path": s.Databases[db].SearchPath}
	maps.Copy(settings, o.Identity.Settings)
	o.URL, o.Identity.Settings = s.Databases[db].URL, settings
	o.Notes = append(o.Notes, fmt.Sprintf("rows are made from the schema, %d a table: times are of made data", c.Int64("rows")))
	for _, q := range s.NotApplied {
		o.Notes = append(o.Notes, fmt.Sprintf("%s:%d was not applied: %s", q.Location.Path, q.Location.Line, q.Text))
	}
	for _, l := range s.Left {
		o.Notes = append(o.Notes, "left out: "+l)
	}
	return s.Stop, nil
}

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/planvet/planvet/internal/engine"
	"github.com/planvet/planvet/internal/report"
	"github.com/planvet/planvet/rules"
	"github.com/planvet/planvet/rules/all"
)

func checkCommand(code *report.ExitCode) *cli.Command {
	return &cli.Command{
		Name:      "check",
		Usage:     "report queries and policies without an access path, and loops over queries",
		ArgsUsage: "[path ...]",
		Description: "Analyses the project of the first path (default: the working directory) as a\n" +
			"whole; paths then filter what is reported.",
		Flags: slices.Concat(projectFlags(), scopeFlags(), identityFlags(), outputFlags(), confirmFlags(), []cli.Flag{
			&cli.StringFlag{Name: "baseline", Usage: "do not report the findings in `FILE`, which planvet baseline writes; " + engine.BaselineFile + " at the project's root by default"},
			&cli.BoolFlag{Name: "no-baseline", Usage: "report findings of the baseline too"},
			&cli.BoolFlag{Name: "strict-baseline", Usage: "exit 1 when the baseline has entries whose finding is no more"},
			&cli.StringFlag{Name: "statements", Usage: "judge what a server ran too: its pg_stat_statements at `URL|FILE`, a file being planvet monitor's report as JSON or its history"},
			&cli.StringFlag{Name: "fail-on", Usage: "lowest severity that exits 1: error, warning, info or never (default: warning)"},
			&cli.BoolFlag{Name: "strict", Usage: "exit 3 when anything was unparsed, unresolved or not applied"},
			&cli.StringFlag{Name: "inconclusive", Value: "pass", Usage: "pass or fail: whether inconclusive verdicts exit 4"},
			&cli.BoolFlag{Name: "verbose", Aliases: []string{"v"}, Usage: "list unparsed, unresolved and not applied items one by one"},
			&cli.StringFlag{Name: "color", Value: "auto", Usage: "auto, always or never"},
		}),
		Action: func(c *cli.Context) error {
			r, err := check(c)
			*code = r
			return err
		},
	}
}

// projectFlags are those of every command that reads a project.
func projectFlags() []cli.Flag {
	return []cli.Flag{
		&cli.StringFlag{Name: "config", Usage: "read `FILE` instead of the planvet.yaml that is found"},
		&cli.StringFlag{Name: "role", Usage: "role of statements whose role nothing tells"},
		&cli.StringSliceFlag{Name: "rules", Usage: "run these rules only, by name or by group: `NAME[,NAME]`"},
	}
}

// confirmFlags say whether a planner is asked, and which.
func confirmFlags() []cli.Flag {
	return []cli.Flag{
		&cli.StringFlag{Name: "confirm", Usage: "ask a planner: shadow starts a throwaway PostgreSQL, live asks --database-url"},
		&cli.BoolFlag{Name: "measure", Usage: "with --confirm shadow: run statements on made rows, where plans on production-sized empty tables would do"},
		&cli.StringFlag{Name: "database-url", EnvVars: []string{"PLANVET_DATABASE_URL"}, Usage: "`URL` of the server for --confirm live"},
	}
}

// identityFlags say as whom a server is asked, beside --role.
func identityFlags() []cli.Flag {
	return []cli.Flag{
		&cli.StringFlag{Name: "claims", Usage: "JWT claims that policies read, as a `JSON` object"},
		&cli.GenericFlag{Name: "set", Value: &texts{}, Usage: "session setting that policies read, as `NAME=VALUE`; repeatable"},
	}
}

func readIdentity(c *cli.Context) (claims string, settings map[string]string, err error) {
	settings = map[string]string{}
	for _, s := range textsOf(c, "set") {
		k, v, ok := strings.Cut(s, "=")
		if !ok || k == "" {
			return "", nil, fmt.Errorf("--set %s: write NAME=VALUE", s)
		}
		settings[k] = v
	}
	if claims = c.String("claims"); claims != "" {
		var obj map[string]any
		if err := json.Unmarshal([]byte(claims), &obj); err != nil {
			return "", nil, fmt.Errorf("--claims is not a JSON object: %w", err)
		}
	}
	return claims, settings, nil
}

func projectOptions(c *cli.Context, progress *report.Progress) engine.Options {
	o := engine.Options{
		Paths: c.Args().Slice(), ConfigFile: c.String("config"), Role: c.String("role"), Rules: c.StringSlice("rules"),
	}
	if progress != nil {
		o.Progress = progress.Step
	}
	return o
}

// loaded opens and reads the project that the arguments name.
func loaded(c *cli.Context, progress *report.Progress) (*engine.Project, error) {
	p, err := engine.Open(projectOptions(c, progress))
	if err != nil {
		return nil, err
	}
	return p, p.Load(c.Context)
}

func check(c *cli.Context) (report.ExitCode, error) {
	started := time.Now()
	f, err := readCheckFlags(c)
	if err != nil {
		return report.ExitUsage, usage(err)
	}
	progress := report.NewProgress(c.App.ErrWriter)
	defer progress.Done()
	in := projectOptions(c, progress)
	if in.Workload, err = readWorkload(c); err != nil {
		return report.ExitUnfinished, err
	}
	checked, doc, err := checkProject(c.Context, in, f.scope, f.baseline)
	if err != nil {
		return exitOf(err), err
	}
	defer checked.close()
	p := checked.Project
	if f.policy.FailOn == "" {
		f.policy.FailOn = p.Config.FailOn
	}
	var unasked error
	if f.confirm != "" {
		if unasked = confirmFindings(c.Context, p, doc, f); engine.KindOf(unasked) == engine.Usage {
			return report.ExitUsage, unasked
		}
		rememberFindings(c, checked.root, doc)
	}
	doc.Summary.ElapsedMS = time.Since(started).Milliseconds()
	progress.Done()
	o := report.WriteOptions{Text: f.text, FailOn: f.policy.FailOn}
	o.Repository, o.Working = rooted(checked.root)
	if err := writeOutputs(c.App.Writer, c.App.ErrWriter, f.outputs, doc, o); err != nil {
		return report.ExitUnfinished, err
	}
	// What was found stands, whatever became of the server.
	return report.Exit(doc, f.policy), unasked
}

// checkFlags are the flags of check, validated.
type checkFlags struct {
	confirming
	outputs  []output
	scope    engine.Scope
	baseline baselineFlags
	policy   report.Policy
	text     report.TextOptions
}

func readCheckFlags(c *cli.Context) (*checkFlags, error) {
	f := &checkFlags{
		policy: report.Policy{
			FailOn: c.String("fail-on"), Strict: c.Bool("strict"), StrictBaseline: c.Bool("strict-baseline"), Inconclusive: c.String("inconclusive"),
		},
		text:     report.TextOptions{Verbose: c.Bool("verbose")},
		baseline: baselineFlags{c.String("baseline"), c.Bool("no-baseline")},
	}
	var err error
	if f.outputs, err = outputsOf(c); err != nil {
		return nil, err
	}
	if f.scope, err = scopeOf(c); err != nil {
		return nil, err
	}
	if err := oneOf("inconclusive", f.policy.Inconclusive, "pass", "fail"); err != nil {
		return nil, err
	}
	if err := knownFailOn(c); err != nil {
		return nil, err
	}
	if f.baseline.none && (f.baseline.file != "" || f.policy.StrictBaseline) {
		return nil, fmt.Errorf("--no-baseline leaves the baseline out: drop --baseline and --strict-baseline")
	}
	if f.confirming, err = readConfirmFlags(c); err != nil {
		return nil, err
	}
	if err := oneOf("color", c.String("color"), "auto", "always", "never"); err != nil {
		return nil, err
	}
	f.text.Color = report.ColorFor(c.App.Writer, c.String("color"))
	return f, nil
}

// confirming is whom to ask about findings: nobody, a shadow or a live server.
type confirming struct {
	confirm string
	ask     engine.ConfirmOptions
}

func readConfirmFlags(c *cli.Context) (confirming, error) {
	f := confirming{c.String("confirm"), engine.ConfirmOptions{Role: c.String("role"), Measure: c.Bool("measure")}}
	var err error
	if f.ask.Claims, f.ask.Settings, err = readIdentity(c); err != nil {
		return f, err
	}
	if f.confirm == "" && c.IsSet("confirm") {
		return f, oneOf("confirm", "", "shadow", "live")
	}
	if f.ask.Measure && f.confirm != "shadow" {
		return f, fmt.Errorf("--measure is about --confirm shadow: add it")
	}
	switch f.confirm {
	case "", "shadow":
		if f.confirm == "" && c.IsSet("database-url") && os.Getenv("PLANVET_DATABASE_URL") == "" {
			return f, fmt.Errorf("--database-url is only read by --confirm live: add it")
		}
	case "live":
		var err error
		if f.ask.URL, err = liveURL(c); err != nil {
			return f, err
		}
	default:
		return f, oneOf("confirm", f.confirm, "shadow", "live")
	}
	return f, nil
}

// liveURL is the server of --confirm live.
func liveURL(c *cli.Context) (string, error) {
	url := c.String("database-url")
	if url == "" {
		return "", errors.New("--confirm live needs --database-url URL, or PLANVET_DATABASE_URL in the environment")
	}
	return url, nil
}

// knownFailOn refuses a severity of --fail-on that there is not.
func knownFailOn(c *cli.Context) error {
	if v := c.String("fail-on"); v != "" {
		return oneOf("fail-on", v, "error", "warning", "info", "never")
	}
	return nil
}

func oneOf(flag, value string, allowed ...string) error {
	for _, a := range allowed {
		if value == a {
			return nil
		}
	}
	return fmt.Errorf("--%s %q: use %s", flag, value, strings.Join(allowed, ", "))
}

func confirmFindings(ctx context.Context, p *engine.Project, d *report.Document, f *checkFlags) error {
	fs, err := p.Confirm(ctx, d.Findings, f.ask)
	d.Findings, d.ConfirmRun, d.NotApplied = fs, true, problems(p.NotApplied)
	return err
}

// document is the report's view of a project.
func document(p *engine.Project, fs []rules.Finding) *report.Document {
	d := &report.Document{
		Version: version(), Findings: fs, Read: p.Read, GoRun: p.GoPackages > 0, Rules: all.All(), Off: p.Off(), Pooling: p.Config.Pooling.Mode,
		Unparsed: problems(p.Unparsed), Unresolved: problems(p.Unresolved), NotApplied: problems(p.NotApplied),
	}
	d.Summary.GoPackages = p.GoPackages
	d.Summary.Statements = len(p.Statements)
	d.Summary.Workload = workloadRead(p)
	for _, db := range p.Databases {
		d.Summary.Migrations += db.Files()
		for _, r := range db.Catalog.Relations() {
			if !r.IsTable() || r.Stub || r.Platform {
				continue
			}
			d.Summary.Tables++
			d.Summary.Indexes += len(r.Indexes)
			d.Summary.Policies += len(r.Policies)
		}
	}
	return d
}

func problems(ps []engine.Problem) []report.Problem {
	out := make([]report.Problem, len(ps))
	for i, p := range ps {
		out[i] = report.Problem{Location: p.Location, Text: p.Text}
	}
	return out
}

// writeTo writes to a file when one is named, else to w.
func writeTo(w io.Writer, file string, write func(io.Writer) error) error {
	if file == "" {
		return write(w)
	}
	f, err := os.Create(file)
	if err != nil {
		return fmt.Errorf("writing the report: %w", err)
	}
	if err := write(f); err != nil {
		f.Close()
		return err
	}
	return f.Close()
}

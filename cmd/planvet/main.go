// Command planvet finds PostgreSQL performance faults from the code alone, and
// proves each on a real planner.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/planvet/planvet/internal/bench/selftest"
	"github.com/planvet/planvet/internal/config"
	"github.com/planvet/planvet/internal/engine"
	"github.com/planvet/planvet/internal/report"
	"github.com/planvet/planvet/internal/vetunit"
)

func main() {
	if vetunit.IsVet(os.Args[1:]) {
		os.Exit(vetunit.Main(os.Args[1:], vetOptions()))
	}
	if selftest.IsChild(os.Args[1:]) {
		os.Exit(selftest.Child(os.Args[1:]))
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	// The analysis looks at no context. Who asks to stop waits for seconds at most,
	// and who asks twice not at all; a server is stopped by its watchdog then.
	context.AfterFunc(ctx, func() {
		stop()
		time.Sleep(3 * time.Second)
		fmt.Fprintln(os.Stderr, "planvet: interrupted")
		os.Exit(int(report.ExitUnfinished))
	})
	code := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// run is the whole program: arguments in, exit code out.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	code := report.ExitClean
	app := newApp(stdout, stderr, &code)
	ordered, err := reorder(app, args)
	if err == nil {
		err = app.RunContext(ctx, append([]string{"planvet"}, ordered...))
	}
	if err != nil && ctx.Err() != nil {
		err = errors.New("interrupted")
	}
	if err != nil {
		fmt.Fprintln(stderr, "planvet: "+report.Redact(oneLine(err)))
		return int(exitOf(err))
	}
	return int(code)
}

func newApp(stdout, stderr io.Writer, code *report.ExitCode) *cli.App {
	app := &cli.App{
		Name:  "planvet",
		Usage: "find PostgreSQL performance faults in code, and prove them on a real planner",
		Description: "planvet check reads migrations, Go code and query files of a project and reports\n" +
			"queries and policies without an access path, and loops over queries.\n" +
			"With --confirm a real planner is asked about each finding.",
		Version:         version(),
		Writer:          stdout,
		ErrWriter:       stderr,
		HideHelpCommand: true,
		// Errors are printed once, by run.
		ExitErrHandler: func(*cli.Context, error) {},
		OnUsageError:   func(_ *cli.Context, err error, _ bool) error { return usage(err) },
		CommandNotFound: func(c *cli.Context, name string) {
			*code = report.ExitUsage
			var names []string
			for _, known := range c.App.VisibleCommands() {
				names = append(names, known.Name)
			}
			fmt.Fprintf(stderr, "planvet: unknown command %q%s; `planvet --help` lists them\n", name, config.Hint(name, names))
		},
		Commands: []*cli.Command{
			initCommand(code), checkCommand(code), configCommand(code), schemaCommand(code), queriesCommand(code), rulesCommand(), vetCommand(code),
			baselineCommand(code), companionCommand(code),
			explainCommand(code), shadowCommand(code), statsCommand(code), auditCommand(code), monitorCommand(code), topQueriesCommand(code), dashboardCommand(code),
			rlsCommand(code), investigateCommand(code), benchCommand(code), gateCommand(code), sloCommand(code), memoryCommand(code), checklistCommand(code), lspCommand(code),
			completionCommand(), manCommand(), completeCommand(), versionCommand(),
		},
	}
	onUsageError(app.Commands, app.OnUsageError)
	return app
}

func onUsageError(commands []*cli.Command, f cli.OnUsageErrorFunc) {
	for _, c := range commands {
		c.OnUsageError = f
		onUsageError(c.Subcommands, f)
	}
}

func usage(err error) error { return &engine.Error{Kind: engine.Usage, Err: err} }

func exitOf(err error) report.ExitCode {
	var e *engine.Error
	if errors.As(err, &e) && e.Kind == engine.Usage {
		return report.ExitUsage
	}
	return report.ExitUnfinished
}

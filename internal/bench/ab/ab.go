// Package ab measures two versions of a service side by side, as long as package gate asks
// for, and reports its verdicts.
//
// A pass gives each case that is not decided an epoch: new connections of both arms, the
// first to connect at random; executions until prepared statements have settled, and a
// round that is thrown away; three rounds. A round is ABBA or BAAB at random, 25 requests
// a block, one after the other: both arms at once would load each other, and what drifts
// moves both of a round. Servers that the caller can make anew are, every three passes
// and before a confirmation.
//
// Before any of that, what the database does is compared (package work): a case that does
// much more work has failed, and its times are only glanced at.
package ab

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"

	"github.com/planvet/planvet/internal/bench/facts"
	"github.com/planvet/planvet/internal/bench/gate"
	"github.com/planvet/planvet/internal/bench/load"
	"github.com/planvet/planvet/internal/bench/results"
	"github.com/planvet/planvet/internal/bench/verdict"
	"github.com/planvet/planvet/internal/bench/work"
)

// Arms are A, what was before, and B, what is judged.
const (
	A = iota
	B
)

var armNames = [2]string{"A", "B"}

// Case is one piece of work of both arms.
type Case struct {
	Suite, Name, Service, Operation string
	// Warmup is how often a new connection works before it is measured.
	Warmup int
	// Timeout bounds one execution.
	Timeout time.Duration
	// Open makes a client of an arm with connections of its own.
	Open func(ctx context.Context, arm int) (load.Client, error)
	// Inspect says what the database does; nil where that is not seen.
	Inspect func(ctx context.Context, arm int) (*results.Work, error)
	// Database says that both arms' Facts are this case's.
	Database bool
	// Reproduce is a command that measures this case alone.
	Reproduce string
}

// Options of a run.
type Options struct {
	Gate gate.Options
	// Iterations bounds how often each arm works on each case; 0 is no bound.
	Iterations int
	// Facts are of an arm's database; nil without one.
	Facts func(ctx context.Context, arm int) (*facts.Facts, error)
	// Renew makes the servers, or databases, of both arms anew. Nobody is connected to
	// them then. nil where the caller did not start them.
	Renew func(ctx context.Context) error
	// Progress is told what is measured, how much is done, of how much; nil for nobody.
	Progress func(what string, done, total int)
}

const (
	// EpochRounds is how many rounds an epoch has. Epochs are what is independent: with
	// more of fewer rounds a run says the same in less time, until what is thrown away
	// before each costs more than it saves.
	EpochRounds = 3
	// Discarded is how many rounds of an epoch are thrown away before.
	Discarded = 1
	// block is how many executions a block has, of which an arm has two in a round; of
	// what takes over slow, as many as it takes in the same time, but at least leastBlock.
	block      = 25
	leastBlock = 10
	slow       = 200 * time.Millisecond
	// settle is the least number of executions after which a prepared statement has the
	// plan that it keeps.
	settle = 6
	// renewEvery is after how many passes servers are made anew: a verdict needs eight
	// epochs, which are of three then.
	renewEvery = 3
	// hopeless is how many executions in a row may fail before an epoch is given up.
	hopeless = 20
	// passWithin is of how many thresholds the upper bound of what passes is at most, unless
	// the difference is too few ms.
	passWithin = 1.5
	// sameRows is by how much the numbers of rows of both databases may differ.
	sameRows = 0.01
)

type run struct {
	o      Options
	random *rand.Rand
	cases  []*state
	passes int
	floor  float64
	notes  []string
	// environment is this machine's, and of B's server.
	environment results.Environment
}

// state is a case as it is measured.
type state struct {
	Case
	gate gate.Case
	work *work.Diff
	// reasons make the case invalid before it is measured, worse make it fail.
	reasons, worse []string
	causes         []work.Cause
	block          int // executions of a block; 0 before it is known
	decision       gate.Decision
	rounds         int // that are left of Options.Iterations
	watch          watch
}

// Run measures and decides. Where the context ends, what was measured until then is
// reported as partial. The error says what cannot be measured at all.
func Run(ctx context.Context, cases []Case, o Options) (*verdict.Report, error) {
	r := &run{o: o, random: rand.New(rand.NewPCG(o.Gate.Seed, 0xab))}
	r.environment = load.Environment()
	report := &verdict.Report{
		Version: verdict.ReportVersion, Mode: verdict.Live, Threshold: 100 * o.Gate.Threshold, Started: time.Now().UTC().Truncate(time.Millisecond),
		Cases: []verdict.Case{}, NotCompared: []verdict.NotCompared{}, Notes: []string{},
	}
	for _, c := range cases {
		s := &state{Case: c, gate: gate.Case{Name: c.Suite + " " + c.Name}, rounds: -1}
		s.decision = gate.Decision{Verdict: gate.Inconclusive, More: gate.Looks[0]}
		if o.Iterations > 0 {
			s.block = min(block, max(1, o.Iterations/2))
			s.rounds = max(1, o.Iterations/(2*s.block))
		}
		r.cases = append(r.cases, s)
	}
	overhead, err := load.Overhead(ctx)
	r.floor = milliseconds(overhead)
	if err == nil {
		err = r.renew(ctx)
	}
	if err == nil {
		err = r.known(ctx)
	}
	if err == nil {
		err = r.measure(ctx)
	}
	if err == nil {
		err = r.sameFacts(ctx)
	}
	if err != nil && ctx.Err() == nil {
		return nil, err
	}
	report.Partial = ctx.Err() != nil
	for _, s := range r.cases {
		report.Cases = append(report.Cases, s.verdict(report.Threshold, report.Partial))
	}
	report.Notes, report.Environment = append(report.Notes, r.notes...), r.environment
	report.Finished = time.Now().UTC().Truncate(time.Millisecond)
	return report, nil
}

func milliseconds(d time.Duration) float64 { return float64(d.Nanoseconds()) / 1e6 }

func (r *run) renew(ctx context.Context) error {
	if r.o.Renew == nil {
		return nil
	}
	return r.o.Renew(ctx)
}

func (r *run) tell(s *state, what string, done, total int) {
	if r.o.Progress != nil {
		r.o.Progress(s.Suite+": "+s.Name+", "+what, done, total)
	}
}

// errEnded is what an epoch ends with where its context does.
var errEnded = errors.New("interrupted")

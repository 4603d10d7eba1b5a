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
	"fmt"
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

// known compares what is known before anything is timed: settings, data, work.
func (r *run) known(ctx context.Context) error {
	if err := r.sameFacts(ctx); err != nil {
		return err
	}
	for i, s := range r.cases {
		if s.Inspect == nil || len(s.reasons) > 0 {
			continue
		}
		r.tell(s, "plans", i, len(r.cases))
		var w [2]*results.Work
		for arm := range w {
			var err error
			if w[arm], err = s.Inspect(ctx, arm); err != nil {
				if ctx.Err() != nil {
					return err
				}
				// The other arm alone says nothing; the rounds will count the errors.
				r.notes = append(r.notes, fmt.Sprintf("%s: what the database does was not compared: %s: %v", s.Name, armNames[arm], err))
				break
			}
		}
		if w[A] == nil || w[B] == nil {
			continue
		}
		s.work = work.Compare(w[A], w[B], r.o.Gate.Threshold)
		for _, c := range s.work.Causes {
			s.cause(c)
		}
		if s.work.Different != "" {
			s.reasons = append(s.reasons, "the answers differ: "+s.work.Different)
		}
		s.worse = s.work.Worse(true)
	}
	return nil
}

// sameFacts looks at settings and data of both arms, before and after.
func (r *run) sameFacts(ctx context.Context) error {
	if r.o.Facts == nil {
		return nil
	}
	var f [2]*facts.Facts
	for arm := range f {
		var err error
		if f[arm], err = r.o.Facts(ctx, arm); err != nil {
			return fmt.Errorf("%s: %w", armNames[arm], err)
		}
	}
	e := &r.environment
	e.Postgres, e.Settings, e.Tables, e.Dataset = f[B].Version, f[B].Settings, f[B].Tables, f[B].Dataset()
	differ := append(facts.Settings(f[A].Settings, f[B].Settings), facts.Tables(f[A].Tables, f[B].Tables, sameRows)...)
	own := facts.Settings(f[A].Own, f[B].Own)
	if f[A].Version != f[B].Version {
		r.note("A is PostgreSQL " + f[A].Version + ", B is " + f[B].Version)
	}
	for _, s := range r.cases {
		if !s.Database || len(s.reasons) > 0 {
			continue
		}
		for _, d := range differ {
			s.reasons = append(s.reasons, "the databases are not comparable: "+d)
		}
		for _, d := range own {
			s.cause(work.Cause{Kind: work.SettingChanged, Text: d})
		}
	}
	return nil
}

func (r *run) note(text string) {
	for _, n := range r.notes {
		if n == text {
			return
		}
	}
	r.notes = append(r.notes, text)
}

func (s *state) cause(c work.Cause) {
	for _, known := range s.causes {
		if known == c {
			return
		}
	}
	s.causes = append(s.causes, c)
}

func (r *run) tell(s *state, what string, done, total int) {
	if r.o.Progress != nil {
		r.o.Progress(s.Suite+": "+s.Name+", "+what, done, total)
	}
}

// pending are the cases that wait for rounds.
func (r *run) pending() (out []*state) {
	for _, s := range r.cases {
		if len(s.reasons) == 0 && len(s.worse) == 0 && s.decision.More > 0 && s.rounds != 0 {
			out = append(out, s)
		}
	}
	return out
}

// measure glances at cases that have failed and passes over the others until all are
// decided.
func (r *run) measure(ctx context.Context) error {
	for _, s := range r.cases {
		if len(s.reasons) > 0 || len(s.worse) == 0 {
			continue
		}
		e, err := r.epoch(ctx, s, 1, 0)
		if err != nil {
			return err
		}
		s.gate.First = append(s.gate.First, e)
	}
	confirming := false
	for {
		cases := r.pending()
		if len(cases) == 0 || ctx.Err() != nil {
			return ctx.Err()
		}
		fresh := false
		for _, s := range cases {
			fresh = fresh || s.decision.Confirming
		}
		if r.passes > 0 && (r.passes%renewEvery == 0 || fresh && !confirming) {
			if err := r.renew(ctx); err != nil {
				return err
			}
		}
		confirming = fresh
		r.passes++
		look := false
		for _, s := range cases {
			if err := r.pass(ctx, s); err != nil {
				return err
			}
			look = look || s.due()
		}
		if look {
			r.judge()
		}
	}
}

// pass gives a case an epoch.
func (r *run) pass(ctx context.Context, s *state) error {
	rounds, warm := EpochRounds, Discarded
	if s.rounds > 0 {
		rounds = min(rounds, s.rounds)
		if s.rounds < EpochRounds {
			warm = 0
		}
	}
	e, err := r.epoch(ctx, s, rounds, warm)
	if len(e.Rounds) > 0 {
		if s.decision.Confirming {
			s.gate.Fresh = append(s.gate.Fresh, e)
		} else {
			s.gate.First = append(s.gate.First, e)
		}
	}
	if s.rounds > 0 {
		s.rounds -= rounds
	}
	return err
}

// stage are the rounds of the stage that a case is in.
func (s *state) stage() (n int) {
	epochs := s.gate.First
	if s.decision.Confirming {
		epochs = s.gate.Fresh
	}
	for _, e := range epochs {
		n += len(e.Rounds)
	}
	return n
}

// due says that the case has the rounds that it was asked for, or cannot get them: its
// arms fail, or no iterations are left.
func (s *state) due() bool { return s.stage() >= s.decision.More || s.failing() || s.rounds == 0 }

// failing says that an arm answered nothing in the last round.
func (s *state) failing() bool {
	epochs := s.gate.First
	if s.decision.Confirming {
		epochs = s.gate.Fresh
	}
	if len(epochs) == 0 {
		return false
	}
	last := epochs[len(epochs)-1].Rounds
	e := last[len(last)-1]
	return len(e.A.Samples) == 0 || len(e.B.Samples) == 0
}

// judge asks the gate about all cases that are timed.
func (r *run) judge() {
	var which []*state
	var all []gate.Case
	for _, s := range r.cases {
		if len(s.reasons) == 0 && len(s.worse) == 0 {
			s.gate.Floor = r.floor
			which, all = append(which, s), append(all, s.gate)
		}
	}
	for i, d := range gate.Judge(all, r.o.Gate) {
		which[i].decision = d
	}
}

// verdict is what is reported of a case. Of work that is worse by the threshold, and not by
// much, the times decide: where they show no regression it is one only if they could not.
func (s *state) verdict(threshold float64, partial bool) verdict.Case {
	c := verdict.Case{
		Suite: s.Suite, Case: s.Name, Service: s.Service, Operation: s.Operation, Reproduce: s.Reproduce,
		Labels: []string{}, Reasons: []string{}, Work: s.work, Causes: s.causes,
	}
	if c.Causes == nil {
		c.Causes = []work.Cause{}
	}
	d := s.decision
	waiting := d.More > 0 && d.Verdict == gate.Inconclusive
	c.Decided(&d, &s.gate)
	switch {
	case len(s.reasons) > 0:
		c.Verdict, c.Reasons = gate.Invalid, s.reasons
	case len(s.worse) > 0:
		c.Verdict, c.Reasons = gate.Fail, s.worse
		c.Labels = append(c.Labels, verdict.MoreWork)
	case waiting && partial:
		c.Reasons = []string{"the run was ended before it was decided"}
	case waiting:
		c.Reasons = []string{fmt.Sprintf("insufficient: the gate needs %d rounds in %d epochs at least, --iterations allows fewer", gate.Looks[0], gate.MinEpochs)}
		c.Labels = append(c.Labels, verdict.Insufficient)
	case c.Verdict == gate.Pass && c.P95 != nil && c.P95.High != nil && *c.P95.High > passWithin*threshold:
		c.Labels = append(c.Labels, verdict.Negligible)
	}
	if s.work != nil && len(s.worse) == 0 && c.Verdict == gate.Inconclusive {
		if more := s.work.Worse(false); len(more) > 0 {
			c.Verdict, c.Reasons, c.Labels = gate.Fail, append(more, c.Reasons...), append(c.Labels, verdict.MoreWork)
		}
	}
	if c.Reasons == nil {
		c.Reasons = []string{}
	}
	return c
}

// errEnded is what an epoch ends with where its context does.
var errEnded = errors.New("interrupted")

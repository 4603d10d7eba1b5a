package rlsguide

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/planvet/planvet/internal/live"
	"github.com/planvet/planvet/internal/plan"
)

//go:embed fixture.sql
var fixture string

// Rows is how many rows the pairs read.
const Rows = 1000

// bound is the time after which a slow form is stopped; its time is a lower bound then.
const bound = 15 * time.Second

const (
	// rounds is how often each side runs; their least time counts, since noise only
	// adds. A side that takes long runs once.
	rounds = 7
	long   = 300.0 // ms
)

// Result is what one pair came to.
type Result struct {
	Pair
	Slow, Fast Side
}

// Side is one form, measured.
type Side struct {
	MS     float64
	Blocks int64
	Rows   int64
	// Stopped is set where the form was stopped: it takes longer than MS.
	Stopped bool
}

// Factor is how many times faster the fast form is, at least where the slow one was
// stopped.
func (r Result) Factor() float64 { return r.Slow.MS / max(r.Fast.MS, 0.001) }

// Run makes the fixture in an empty database of a server of planvet's own, whose URL is
// a superuser's, and measures every pair.
func Run(ctx context.Context, url string, progress func(string)) (_ []Result, version string, err error) {
	s, err := live.Connect(ctx, url, live.Options{Writable: true})
	if err != nil {
		return nil, "", err
	}
	defer s.Close(ctx)
	for _, role := range []string{"authenticated", "anon"} {
		fixed := "do $$ begin create role " + role + "; exception when duplicate_object then null; end $$"
		if _, err := s.Conn().PgConn().Exec(ctx, fixed).ReadAll(); err != nil {
			return nil, "", fmt.Errorf("making the role %s: %w", role, err)
		}
	}
	for _, sql := range []string{strings.ReplaceAll(fixture, "$rows", strconv.Itoa(Rows)), "vacuum analyze"} {
		if _, err := s.Conn().PgConn().Exec(ctx, sql).ReadAll(); err != nil {
			return nil, "", fmt.Errorf("making the fixture: %w", err)
		}
	}
	var out []Result
	for _, p := range Pairs {
		if progress != nil {
			progress("measuring " + p.Name)
		}
		r := Result{Pair: p}
		if err := r.measure(ctx, s); err != nil {
			return nil, "", fmt.Errorf("pair %s: %w", p.Name, err)
		}
		out = append(out, r)
	}
	return out, s.Version(), nil
}

// measure runs both sides in turn.
func (r *Result) measure(ctx context.Context, s *live.Session) error {
	for i := range rounds {
		if i == 0 || r.Slow.MS < long {
			if err := r.side(ctx, s, r.Pair.Slow, r.SlowSQL, &r.Slow, i == 0); err != nil {
				return err
			}
		}
		if err := r.side(ctx, s, r.Pair.Fast, r.FastSQL, &r.Fast, i == 0); err != nil {
			return err
		}
	}
	if !r.Slow.Stopped && r.Slow.Rows != r.Fast.Rows {
		return fmt.Errorf("the slow form shows %d rows and the fast one %d", r.Slow.Rows, r.Fast.Rows)
	}
	return nil
}

// side sets one form up, runs it, and takes it back.
func (r *Result) side(ctx context.Context, s *live.Session, setup []string, sql string, out *Side, first bool) (err error) {
	if err := s.Begin(ctx); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Rollback(ctx)) }()
	for _, sql := range setup {
		if err := s.Exec(ctx, sql); err != nil {
			return err
		}
	}
	if sql == "" {
		sql = "select count(*) from records"
	}
	q := plan.Request{SQL: sql, Role: "authenticated", Settings: map[string]string{"request.jwt.claims": claims}, Analyze: true, Timeout: bound}
	if r.Role != "" {
		q.Role, q.Settings = r.Role, map[string]string{"request.jwt.claims": anonymous}
	}
	p, err := s.Explain(ctx, q)
	switch {
	case live.Code(err) == queryCanceled:
		out.MS, out.Stopped = float64(bound.Milliseconds()), true
		return nil
	case err != nil:
		return err
	}
	if first || p.ExecutionMS < out.MS {
		out.MS = math.Round(p.ExecutionMS*1000) / 1000
	}
	out.Blocks = p.Blocks()
	if n := len(p.Root.Children); n > 0 { // below the count; initplans stand before
		out.Rows = int64(p.Root.Children[n-1].Rows)
	}
	return nil
}

// queryCanceled is the SQLSTATE of a statement that ran into its timeout.
const queryCanceled = "57014"

// gain is what each pair must give.
const gain = 10

// Check tells what differs from the guide: a pair that gains less than tenfold, and a
// slow form that is no slower than one for which the guide has an order of magnitude
// less. A form that was stopped took at least its time.
func Check(rs []Result) []string {
	var out []string
	for _, r := range rs {
		if r.Factor() < gain {
			out = append(out, fmt.Sprintf("pair %s gains %.1f times: %.3f ms before, %.3f ms after", r.Name, r.Factor(), r.Slow.MS, r.Fast.MS))
		}
	}
	for _, a := range rs {
		for _, b := range rs {
			if magnitude(a.GuideSlow) > magnitude(b.GuideSlow) && a.Slow.MS <= b.Slow.MS {
				out = append(out, fmt.Sprintf("the slow form of %s takes %.1f ms and that of %s %.1f ms; the guide has %.0f and %.0f", a.Name, a.Slow.MS, b.Name, b.Slow.MS, a.GuideSlow, b.GuideSlow))
			}
		}
	}
	slices.Sort(out)
	return out
}

// magnitude is a figure's order of magnitude; 9,000 is nearer to 10,000.
func magnitude(v float64) int { return int(math.Round(math.Log10(v))) }

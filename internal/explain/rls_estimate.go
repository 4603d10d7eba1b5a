package explain

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/planvet/planvet/internal/live"
	"github.com/planvet/planvet/internal/plan"
	"github.com/planvet/planvet/internal/shadow"
)

// Estimator plans with remedies on twins of a live server, for a server on which
// nothing may be changed: what it gives are costs. It must be closed.
type Estimator struct {
	// Start is how the server of the twins is started.
	Start shadow.Options

	server *shadow.Server
	twins  int
}

// Close stops the server.
func (e *Estimator) Close() error {
	if e.server == nil {
		return nil
	}
	return e.server.Stop()
}

// estimate tells of remedies what the planner expects of them for a statement.
func (e *Estimator) estimate(ctx context.Context, s *live.Session, proposed []remedy, r plan.Request) []Recommendation {
	out := []Recommendation{}
	for _, p := range proposed {
		out = append(out, p.recommendation())
	}
	if len(proposed) == 0 {
		return out
	}
	doubt := e.fill(ctx, s, proposed, r, out)
	for i := range out {
		if doubt != nil && out[i].Verified == "" && out[i].Why == "" {
			out[i].Why = "not verified: " + message(doubt)
		}
	}
	return out
}

// fill fills in the recommendations; its error is why some are not verified.
func (e *Estimator) fill(ctx context.Context, s *live.Session, proposed []remedy, r plan.Request, out []Recommendation) (err error) {
	twin, err := e.twin(ctx, s, proposed, r)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, twin.Close(ctx)) }()
	want, err := s.Explain(ctx, r)
	if err != nil {
		return err
	}
	before, err := twin.Explain(ctx, r)
	if err != nil {
		return fmt.Errorf("the twin of the server does not plan the statement: %s", message(err))
	}
	const near = 0.1
	if a, b := want.Root.TotalCost, before.Root.TotalCost; b < (1-near)*a-1 || b > (1+near)*a+1 {
		return fmt.Errorf("the statement costs %.0f on the server and %.0f on its twin", a, b)
	}
	for i, p := range proposed {
		as := r
		if p.as != nil {
			as.Role, as.Settings = p.as.Role, p.as.Settings
		}
		b, after, err := e.both(ctx, twin, p, as)
		if err != nil {
			out[i].Why = "not verified: " + message(err)
			continue
		}
		out[i].Verified, out[i].Before, out[i].After = Estimated, b, after
		out[i].Why = fmt.Sprintf("planned as %s on a twin of the server; what functions take the planner hardly knows: rls overhead --shadow measures it", as.Role)
	}
	return nil
}

// twin makes one with the indexes of all remedies.
func (e *Estimator) twin(ctx context.Context, s *live.Session, proposed []remedy, r plan.Request) (*shadow.Twin, error) {
	part := live.Part{Texts: []string{r.SQL}, Roles: []string{r.Role}}
	var candidates []string
	for _, p := range proposed {
		if p.as != nil {
			part.Roles = append(part.Roles, p.as.Role)
		}
		for _, sql := range p.indexes() {
			if !slices.Contains(candidates, sql) {
				candidates = append(candidates, sql)
			}
		}
	}
	likeness, err := shadow.Read(ctx, s, part)
	if err != nil {
		return nil, err
	}
	if e.server == nil {
		o := e.Start
		o.Major, o.ForTwins = likeness.Schema.Major, true
		if e.server, err = shadow.Start(ctx, o); err != nil {
			return nil, fmt.Errorf("starting a throwaway PostgreSQL: %w", err)
		}
	}
	e.twins++
	return e.server.Twin(ctx, fmt.Sprintf("rls_%d", e.twins), likeness, candidates)
}

// both plans without a remedy and with it.
func (e *Estimator) both(ctx context.Context, twin *shadow.Twin, r remedy, request plan.Request) (before, after *Effect, err error) {
	p, err := twin.Explain(ctx, request)
	if err != nil {
		return nil, nil, err
	}
	before = &Effect{Cost: p.Root.TotalCost, Access: scansOf(p, r.policies)}
	var numbers []int
	for _, sql := range r.indexes() {
		for i, c := range twin.Candidates {
			if c.SQL != sql {
				continue
			}
			if c.Problem != "" {
				return nil, nil, errors.New(c.Problem)
			}
			numbers = append(numbers, i)
		}
	}
	if err := twin.Show(ctx, numbers...); err != nil {
		return nil, nil, err
	}
	defer func() { err = errors.Join(err, twin.Show(ctx)) }()
	if err := twin.Session.Begin(ctx); err != nil {
		return nil, nil, err
	}
	defer func() { err = errors.Join(err, twin.Session.Rollback(ctx)) }()
	for _, sql := range r.sql {
		if createIndex.MatchString(sql) {
			continue
		}
		if err := twin.Session.Exec(ctx, sql); err != nil {
			return nil, nil, err
		}
	}
	if p, err = twin.Explain(ctx, request); err != nil {
		return nil, nil, err
	}
	return before, &Effect{Cost: p.Root.TotalCost, Access: scansOf(p, r.policies)}, nil
}

// indexes are the statements of a remedy that make one.
func (r remedy) indexes() []string {
	var out []string
	for _, sql := range r.sql {
		if createIndex.MatchString(sql) {
			out = append(out, sql)
		}
	}
	return out
}

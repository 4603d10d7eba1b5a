package explain

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/planvet/planvet/catalog"
	"github.com/planvet/planvet/internal/live"
	"github.com/planvet/planvet/internal/pgast"
	"github.com/planvet/planvet/internal/plan"
	"github.com/planvet/planvet/internal/shadow"
)

// subject is a statement that has been planned and looked at, and the server that it
// was planned on.
type subject struct {
	session *live.Session
	cat     *catalog.Catalog
	sql     string
	tree    pgast.Stmt
	// requests ask for the plans that were looked at, the most telling first; labels
	// are those plans'. They name the statement, the role and its settings. None
	// analyses.
	requests []plan.Request
	labels   []string
	// report has the plan's steps, findings and indexes.
	report *Report
	// throwaway is set where the server is planvet's own and has rows: there changes
	// are made, measured and undone.
	throwaway bool
	// runs is set where the statement may be run; timeout bounds that.
	runs bool
	// allow are functions that the user vouches for.
	allow []string
	// drawn is set where values came from the server's statistics: they are data, and in
	// no text.
	drawn bool
	// start are options for the server of a twin; its version is the session's.
	start shadow.Options
}

// recommend says what would help, best first, and how far each was checked:
//
//  1. indexes, from the statement's conditions and the policies of its role; the
//     planner of a twin of the server chooses (recommend_index.go);
//  2. rewrites whose rows are certainly the same (recommend_rewrite.go);
//  3. statistics and settings, from the findings (recommend_settings.go);
//  4. caching, where pg_stat_statements shows that it would pay (recommend_cache.go).
//
// Nothing is written on a named server. Notes are what the reader must know of how it
// was done. An error means that the server was lost.
func recommend(ctx context.Context, s *subject) (out []Recommendation, notes []string, err error) {
	p := &prover{ctx: ctx, s: s}
	defer p.close()
	out = []Recommendation{}
	for _, kind := range []func() ([]Recommendation, error){p.indexes, p.rewrites, p.policies, p.settings, p.caching} {
		all, err := kind()
		if err != nil {
			if ctx.Err() != nil || s.session.Conn().IsClosed() {
				return nil, nil, errors.Join(err, ctx.Err())
			}
			p.note("%s", p.text(err))
		}
		out = append(out, all...)
	}
	slices.SortStableFunc(out, func(a, b Recommendation) int { return rank(a) - rank(b) })
	return out, p.notes, nil
}

// rank puts what was checked before what was not.
func rank(r Recommendation) int {
	switch r.Verified {
	case Measured:
		return 0
	case Estimated:
		return 1
	}
	return 2
}

// prover checks recommendations.
type prover struct {
	ctx   context.Context
	s     *subject
	notes []string

	server   *shadow.Server
	likeness *shadow.Likeness
	twin     *shadow.Twin
	// twins counts databases made on the server.
	twins int
	// doubt is why what the twin says is not the server's own answer; "" where its
	// plan of the statement is the server's.
	doubt string
}

func (p *prover) note(format string, args ...any) {
	if n := fmt.Sprintf(format, args...); !slices.Contains(p.notes, n) {
		p.notes = append(p.notes, n)
	}
}

func (p *prover) close() {
	if p.twin != nil {
		p.twin.Close(p.ctx)
	}
	if p.server != nil {
		p.server.Stop()
	}
}

// role is the role that the statement runs as.
func (p *prover) role() string {
	if r := p.s.requests[0].Role; r != "" {
		return r
	}
	if p.likeness != nil {
		return p.likeness.Schema.User
	}
	return ""
}

// look reads the likeness of the server's part that statements read.
func (p *prover) look(sqls ...string) error {
	if p.likeness != nil {
		return nil
	}
	part := live.Part{Texts: append(slices.Clone(sqls), p.s.sql)}
	if r := p.s.requests[0].Role; r != "" {
		part.Roles = []string{r}
	}
	var err error
	p.likeness, err = shadow.Read(p.ctx, p.s.session, part)
	return err
}

// with makes a twin with candidates in the place of the one that is there. After it
// doubt says whether the twin is to be believed.
func (p *prover) with(candidates []string) error {
	if err := p.look(); err != nil {
		return err
	}
	if p.server == nil {
		o := p.s.start
		o.Major, o.ForTwins = p.likeness.Schema.Major, true
		srv, err := shadow.Start(p.ctx, o)
		if err != nil {
			return err
		}
		p.server = srv
	}
	if p.twin != nil {
		p.twin.Close(p.ctx)
		p.twin = nil
	}
	p.twins++
	twin, err := p.server.Twin(p.ctx, fmt.Sprintf("twin_%d", p.twins), p.likeness, candidates)
	if err != nil {
		return err
	}
	p.twin = twin
	p.doubt = p.compare()
	return nil
}

// compare tells why the twin plans the statement otherwise than the server does.
func (p *prover) compare() string {
	r := p.s.requests[0]
	want, err := p.s.session.Explain(p.ctx, r)
	if err != nil {
		return "the server did not plan the statement again: " + p.text(err)
	}
	got, err := p.twin.Explain(p.ctx, r)
	lacking := ""
	if len(p.twin.Lacking) > 0 {
		lacking = ": it lacks " + p.twin.Lacking[0]
		if n := len(p.twin.Lacking) - 1; n > 0 {
			lacking += fmt.Sprintf(", and %d more", n)
		}
	}
	off := func(by float64) bool {
		return got.Root.TotalCost < (1-by)*want.Root.TotalCost-1 || got.Root.TotalCost > (1+by)*want.Root.TotalCost+1
	}
	// Two plans of one cost are as good as one: which is taken is chance.
	const near, tied = 0.1, 0.02
	switch {
	case err != nil:
		return "the twin of the server does not plan the statement (" + p.text(err) + ")" + lacking
	case len(p.likeness.Stats.Hidden) > 0:
		return "role " + p.likeness.Schema.User + " may not see the statistics of " + strings.Join(p.likeness.Stats.Hidden, ", ") +
			", so that sizes are known and values are not: grant it pg_read_all_data, or select on the tables"
	case want.Shape() != got.Shape() && off(tied):
		return "the twin of the server plans the statement otherwise than the server" + lacking
	case off(near):
		return fmt.Sprintf("the statement costs %.0f on the server and %.0f on its twin%s", want.Root.TotalCost, got.Root.TotalCost, lacking)
	}
	return ""
}

// findingsAt are the IDs of the findings at steps that read a table, those of the
// heuristics named alone.
func (s *subject) findingsAt(table catalog.Name, parts []catalog.Name, heuristics ...string) []int {
	if s.report == nil || len(s.report.Plans) == 0 || s.report.Plans[0].Root == nil {
		return nil
	}
	reads := map[int]bool{}
	var walk func(st *Step) bool
	walk = func(st *Step) bool {
		here := st.Relation == table.String() || slices.ContainsFunc(parts, func(n catalog.Name) bool { return st.Relation == n.String() })
		for _, c := range st.Children {
			here = walk(c) || here
		}
		reads[st.ID] = here
		return here
	}
	walk(s.report.Plans[0].Root)
	var out []int
	for _, f := range s.report.Findings {
		if reads[f.Step] && slices.Contains(heuristics, f.Heuristic) {
			out = append(out, f.ID)
		}
	}
	return out
}

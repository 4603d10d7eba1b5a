package explain

import (
	"fmt"
	"slices"
	"strings"

	"github.com/planvet/planvet/internal/live"
	"github.com/planvet/planvet/internal/plan"
)

// labelGiven is the label of the plan for values that were given, of some parameters
// at least, or of a statement that has none.
const labelGiven = "given"

// valueSet are values for all parameters.
type valueSet struct {
	label string
	args  []*string
	// drawn is set where one of them came from statistics, declared where the server
	// needs to be told types.
	drawn, declared bool
	plan            *plan.Plan
}

// values finds types and values of the parameters. The first set is the one that is
// run: the values that were given, with frequent ones for those that were not.
func (r *runner) values() error {
	declared, err := r.inferTypes()
	if err != nil {
		return err
	}
	if len(r.o.Params) > len(r.types) {
		return usagef("--params has %d values and the statement has %d parameters", len(r.o.Params), len(r.types))
	}
	given := make([]*string, len(r.types))
	for i, v := range r.o.Params {
		if given[i], err = textOf(v, r.types[i]); err != nil {
			return usagef("--params: $%d::%s: %w", i+1, r.types[i], err)
		}
	}
	if err := r.s.Begin(r.ctx); err != nil {
		return r.failed("beginning a transaction", err)
	}
	defer r.s.Rollback(r.ctx)
	for i := range r.o.Params {
		if err := r.check(i, given[i]); err != nil {
			return err
		}
	}
	d := newDrawer(r.ctx, r.s, r.cat, r.st)
	draws := make([]drawn, len(r.types))
	for i, typ := range r.types {
		if draws[i], err = d.draw(i+1, typ); err != nil {
			return r.failed("finding values", err)
		}
	}
	r.choose(given, draws, declared)
	r.describe(draws)
	return nil
}

// choose makes the sets, each once.
func (r *runner) choose(given []*string, draws []drawn, declared bool) {
	first := valueSet{label: labelGiven, args: given, declared: declared}
	if len(given) > len(r.o.Params) {
		if len(r.o.Params) == 0 {
			first.label = drawLabels[frequent]
		}
		first.args = slices.Clone(given)
		for i := len(r.o.Params); i < len(given); i++ {
			first.args[i] = draws[i].value[frequent]
			first.drawn = first.drawn || draws[i].data
		}
	}
	r.sets = []valueSet{first}
	for k := range ndraws {
		s := valueSet{label: drawLabels[k], args: slices.Clone(first.args), declared: declared}
		for i := range draws {
			if draws[i].data || i >= len(r.o.Params) {
				s.args[i] = draws[i].value[k]
			}
			s.drawn = s.drawn || draws[i].data
		}
		if !slices.ContainsFunc(r.sets, func(o valueSet) bool { return slices.EqualFunc(o.args, s.args, equalText) }) {
			r.sets = append(r.sets, s)
		}
	}
}

func equalText(a, b *string) bool { return a == b || a != nil && b != nil && *a == *b }

// describe fills the report's parameters.
func (r *runner) describe(draws []drawn) {
	for i, typ := range r.types {
		p := Parameter{Number: i + 1, Type: typ, Column: draws[i].column, Source: draws[i].source, Value: r.sets[0].args[i]}
		switch {
		case i < len(r.o.Params):
			p.Source = sourceGiven
		case draws[i].data && !r.o.ShowValues:
			p.Value = ptrTo(hidden)
		}
		r.report.Parameters = append(r.report.Parameters, p)
	}
}

// check has the server read a value that was given, so that its error names the
// parameter.
func (r *runner) check(i int, v *string) error {
	_, err := r.s.Query(r.ctx, "select $1::"+r.types[i], v)
	if err == nil {
		return nil
	}
	if r.ctx.Err() != nil {
		return r.ctx.Err()
	}
	return usagef("--params: $%d::%s: %s", i+1, r.types[i], message(err))
}

// indeterminate is the SQLSTATE of a parameter whose type nothing tells.
const indeterminate = "42P18"

// inferTypes asks the server for the parameters' types. One that nothing tells is a
// text; declared is set then.
func (r *runner) inferTypes() (declared bool, err error) {
	req := r.request()
	for {
		types, err := r.s.Types(r.ctx, req)
		if err == nil {
			r.types = types
			return declared, nil
		}
		var n int
		if i := strings.LastIndex(err.Error(), "$"); live.Code(err) == indeterminate && i >= 0 {
			fmt.Sscanf(err.Error()[i+1:], "%d", &n)
		}
		if n < 1 || n > r.st.Params || n <= len(req.Types) && req.Types[n-1] != "" {
			return false, r.failed("the statement", err)
		}
		for len(req.Types) < n {
			req.Types = append(req.Types, "")
		}
		req.Types[n-1], declared = "text", true
	}
}

package rlscheck

import (
	"fmt"
	"strings"

	"github.com/planvet/planvet/catalog"
	"github.com/planvet/planvet/catalog/builtin"
	"github.com/planvet/planvet/rules"
)

var rowFunction = &rules.Rule{
	Name:     "rls-row-function",
	Summary:  "a policy hands columns of the row to a function, which then runs for each row",
	Package:  "rlscheck",
	Group:    "rls",
	Severity: rules.Warning, Certainty: rules.Certain,
	Page: page("rls_row_function"),
}

// rowFunction reports functions of the user's that get columns of the row and
// cannot be put in line. One that reads a table is a query a row.
func (c *checker) rowFunction() {
	c.policies(func(r *catalog.Relation, p *catalog.Policy) {
		pol := c.parsePolicy(r, p)
		if pol == nil {
			return
		}
		var reading, others []*call
		for _, b := range pol.rows {
			reads, known := false, false
			if b.user != nil {
				reads, known = c.fns.readsTables(b.user)
			}
			switch {
			case reads:
				reading = append(reading, b)
			case !known || b.volatility != builtin.Immutable:
				others = append(others, b)
			}
		}
		if len(reading)+len(others) == 0 {
			return
		}
		if scan := c.analyze(c.cat, r, nil); scan != nil && scan.Small {
			return
		}
		f := start(rowFunction, r, p, c.uses(r, p))
		named := reading
		f.Message = "policy %q on %s hands %s to %s, which queries a table for each row"
		if len(reading) == 0 {
			named = others
			f.Certainty, f.Severity = rules.Possible, rules.Info
			f.Message = "policy %q on %s hands %s to %s, which runs for each row"
		}
		args := c.columnsOf(pol, named[0].node, named[0].frame)
		f.Message = fmt.Sprintf(f.Message, p.Name, r.Name.Short(), list(args), list(calls(named)))
		f.Object.Columns, f.Object.Function = args, named[0].name
		f.Probe.Columns = args
		f.Fix = &rules.Fix{Note: setForm(named[0], args)}
		c.findings = append(c.findings, f)
	})
}

// setForm says how the policy reads with a function that returns the set.
func setForm(b *call, args []string) string {
	column := "column"
	if len(args) > 0 {
		column = args[0]
	}
	name := b.name
	if dot := strings.LastIndexByte(name, '.'); dot >= 0 {
		name = name[dot+1:]
	}
	return fmt.Sprintf("(select …) around %s() changes nothing, its arguments are the row's; let a security definer function "+
		"return the set of values for the caller, and test %s = any (array(select that_function())), which runs it once a query "+
		"and can use an index on %s", name, column, column)
}

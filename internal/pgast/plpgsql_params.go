package pgast

import "strings"

// specials are variables that a body has without declaring them.
var specials = keywordSet(`found new old sqlstate sqlerrm tg_name tg_when tg_level tg_op tg_relid tg_relname tg_table_name
	tg_table_schema tg_nargs tg_argv tg_event tg_tag`)

// params replaces the variables in a statement by Params.
//
//  1. A bare name is a variable when one has it; a name that ORDER BY or GROUP BY
//     takes from the select list is none.
//  2. rec.field is one when rec is a variable, new, old or the function, unless a
//     relation of the statement goes by that name.
func (p *plScanner) params(s Stmt) {
	refs := map[string]bool{}
	outputs := map[Expr]bool{}
	Walk(s, func(n Node) bool {
		switch v := n.(type) {
		case *Table:
			refs[v.RefName()] = true
		case *Subquery:
			refs[v.Alias] = true
		case *FuncTable:
			refs[v.Alias] = true
		case *Join:
			refs[v.Alias] = true
		case *CTE:
			refs[v.Name] = true
		case *Select:
			outputKeys(v, outputs)
		}
		return true
	})
	Replace(s, func(e Expr) (Expr, bool) {
		c, ok := e.(*ColumnRef)
		if !ok || c.Star || outputs[e] {
			return nil, false
		}
		if i := p.variable(c.Names, refs); i >= 0 {
			return &Param{At: c.At, Number: i + 1}, true
		}
		return nil, false
	})
}

// outputKeys marks the sort and group keys that name an item of the select list. The
// sort of a UNION names nothing else.
func outputKeys(s *Select, marked map[Expr]bool) {
	names := map[string]bool{}
	for _, t := range s.Targets {
		names[outputName(t)] = true
	}
	mark := func(e Expr) {
		if c, ok := e.(*ColumnRef); ok && len(c.Names) == 1 && (s.SetOp != "" || names[c.Names[0]]) {
			marked[e] = true
		}
	}
	for _, o := range s.OrderBy {
		mark(o.Expr)
	}
	for _, g := range s.GroupBy {
		mark(g)
	}
}

// variable is the index in Vars of the variable that a name means, -1 for none.
func (p *plScanner) variable(names []string, refs map[string]bool) int {
	switch len(names) {
	case 1:
		if i, ok := p.names[names[0]]; ok {
			return i
		}
		if specials[names[0]] {
			return p.lazyVar(names[0], "special")
		}
	case 2:
		rec := names[0]
		_, declared := p.names[rec]
		switch {
		case refs[rec]:
		case rec == p.fn && rec != "":
			return p.variable(names[1:], refs)
		case declared || rec == "new" || rec == "old":
			return p.lazyVar(strings.Join(names, "."), "field")
		}
	}
	return -1
}

func (p *plScanner) lazyVar(name, kind string) int {
	if i, ok := p.names[name]; ok {
		return i
	}
	p.addVar(PLVar{Name: name, Kind: kind, Query: -1})
	return p.names[name]
}

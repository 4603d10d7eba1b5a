package pgast

import (
	"strconv"
	"strings"
)

func valueFuncName(s string) string {
	if i := strings.IndexByte(s, '('); i > 0 {
		s = s[:i]
	}
	return strings.ToLower(s)
}

// collect brings the relations of a FROM item into scope, in the order of
// PostgreSQL's range table, and appends their unique names to named.
func (n *normalizer) collect(f FromItem, named []string) []string {
	switch v := f.(type) {
	case *Table:
		it := scopeItem{ref: v.RefName(), cols: v.ColAliases}
		if cols, ok := n.cte(v.Name); ok && v.Schema == "" {
			it.cols = cols
		} else {
			q := n.relation(Name{v.Schema, v.Name})
			it.schema, it.rel = q.Schema, q.Name
		}
		return append(named, n.add(it))
	case *Subquery:
		cols := v.ColAliases
		if s, ok := v.Query.(*Select); ok && cols == nil {
			cols = n.outputNames(s)
		}
		return append(named, n.add(scopeItem{ref: v.Alias, cols: cols}))
	case *FuncTable:
		return append(named, n.add(funcItem(v)))
	case *Join:
		named = n.collect(v.Right, n.collect(v.Left, named))
		if v.Alias != "" {
			named = append(named, n.add(scopeItem{ref: v.Alias, cols: v.ColAliases}))
		}
	}
	return named
}

// singles are functions of one column; a server prints it as alias(alias), or by the
// name that the function gives it.
var singles = map[string]bool{"unnest": true, "generate_series": true, "generate_subscripts": true, "jsonb_array_elements": true,
	"jsonb_array_elements_text": true, "json_array_elements": true, "json_array_elements_text": true, "string_to_table": true,
	"regexp_split_to_table": true, "jsonb_object_keys": true, "json_object_keys": true, "regexp_matches": true}

func funcItem(v *FuncTable) scopeItem {
	it := scopeItem{ref: v.Alias, cols: v.ColAliases}
	if len(v.Calls) != 1 || v.Ordinality || len(v.ColTypes) > 0 {
		return it
	}
	name := figureName(v.Calls[0])
	if it.ref == "" {
		it.ref = name
	}
	call, _ := v.Calls[0].(*FuncCall)
	known := call != nil && singles[name] && (name != "unnest" || len(call.Args) == 1)
	it.single = known || len(v.ColAliases) == 1 && v.ColAliases[0] == it.ref
	return it
}

// from normalises a FROM item, which takes its name from the front of named.
func (n *normalizer) from(f FromItem, named *[]string) FromItem {
	take := func() string {
		s := (*named)[0]
		*named = (*named)[1:]
		return s
	}
	// Items were collected in this order, so what is left of named tells the place.
	n.scope.limit = len(n.scope.items) - len(*named) + 1
	defer func() { n.scope.limit = 0 }()
	switch v := f.(type) {
	case *Table:
		out := &Table{Schema: v.Schema, Name: v.Name, Only: v.Only, ColAliases: v.ColAliases, Sample: v.Sample, SampleText: v.SampleText}
		if _, ok := n.cte(v.Name); !ok || v.Schema != "" {
			q := n.relation(Name{v.Schema, v.Name})
			out.Schema = choose(q.Schema == "pg_catalog", "", q.Schema)
		}
		if out.Alias = take(); out.Alias == out.Name && out.ColAliases == nil {
			out.Alias = ""
		}
		return out
	case *Subquery:
		out := &Subquery{Lateral: v.Lateral, ColAliases: v.ColAliases, Alias: take()}
		out.Query = n.query(v.Query, false, !v.Lateral)
		return out
	case *FuncTable: // LATERAL says nothing before a function
		out := &FuncTable{ColAliases: v.ColAliases, ColTypes: v.ColTypes, Ordinality: v.Ordinality, RowsFrom: v.RowsFrom, Alias: take()}
		if funcItem(v).single {
			out.ColAliases = nil
		}
		out.Calls = n.exprs(v.Calls, false)
		return out
	case *Join:
		out := &Join{Kind: v.Kind, Natural: v.Natural, Using: v.Using, ColAliases: v.ColAliases, UsingAlias: v.UsingAlias}
		out.Left = n.from(v.Left, named)
		out.Right = n.from(v.Right, named)
		if v.Alias != "" {
			out.Alias = take()
		}
		n.scope.limit = 0
		out.On = n.expr(v.On, false)
		return out
	}
	return f
}

// add brings an item into scope under a name that no item of this level and those
// around it has, as PostgreSQL's set_rtable_names does.
func (n *normalizer) add(it scopeItem) string {
	it.alias = it.ref
	for i := 1; it.alias != "" && n.taken(it.alias); i++ {
		it.alias = it.ref + "_" + strconv.Itoa(i)
	}
	n.scope.items = append(n.scope.items, it)
	return it.alias
}

func (n *normalizer) taken(alias string) bool {
	for s := n.scope; s != nil; s = s.parent {
		for _, it := range s.items {
			if it.alias == alias {
				return true
			}
		}
	}
	return false
}

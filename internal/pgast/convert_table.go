package pgast

import (
	"strconv"
	"strings"

	pg "github.com/planvet/planvet/internal/pgast/grammar"
)

func itoa(i int32) string { return strconv.Itoa(int(i)) }

func (c *conv) createTable(v *pg.CreateStmt) *CreateTable {
	t := &CreateTable{At: c.top(), Table: rel(v.Relation), IfNotExists: v.IfNotExists, Temp: v.Relation.GetRelpersistence() == "t", OnCommitDrop: v.Oncommit == pg.OnCommitAction_ONCOMMIT_DROP,
		Unlogged: v.Relation.GetRelpersistence() == "u", Bound: c.boundText(v.Partbound)}
	var cons []*pg.Node
	for _, n := range v.TableElts {
		switch x := n.Node.(type) {
		case *pg.Node_ColumnDef:
			t.Columns = append(t.Columns, c.columnDef(x.ColumnDef))
		case *pg.Node_Constraint:
			cons = append(cons, n)
		case *pg.Node_TableLikeClause:
			t.Like = append(t.Like, c.like(x.TableLikeClause))
		}
	}
	t.Constraints = c.constraints(append(cons, v.Constraints...), nil)
	for _, n := range v.InhRelations {
		t.Inherits = append(t.Inherits, rel(n.GetRangeVar()))
	}
	if v.Partbound != nil && len(t.Inherits) == 1 {
		t.PartitionOf, t.Inherits = &t.Inherits[0], nil
	}
	if v.OfTypename != nil {
		n := qualified(names(v.OfTypename.Names))
		t.OfType = &n
	}
	t.PartitionBy = c.partitionBy(v.Partspec)
	return t
}

// like reads the options of LIKE, a bit set of PostgreSQL's TableLikeOption.
func (c *conv) like(v *pg.TableLikeClause) Like {
	o := v.Options
	return Like{At: c.at(v.Relation.GetLocation()), Source: rel(v.Relation), Constraints: o&(1<<2) != 0, Defaults: o&(1<<3) != 0,
		Generated: o&(1<<4) != 0, Identity: o&(1<<5) != 0, Indexes: o&(1<<6) != 0}
}

func (c *conv) partitionBy(v *pg.PartitionSpec) *PartitionBy {
	if v == nil {
		return nil
	}
	p := &PartitionBy{Strategy: strings.ToLower(strings.TrimPrefix(v.Strategy.String(), "PARTITION_STRATEGY_"))}
	for _, n := range v.PartParams {
		e := n.GetPartitionElem()
		if e == nil {
			continue
		}
		p.Keys = append(p.Keys, IndexElem{At: c.at(e.Location), Column: e.Name, Expr: c.expr(e.Expr),
			Collation: names(e.Collation), OpClass: names(e.Opclass)})
	}
	return p
}

func (c *conv) columnDef(v *pg.ColumnDef) ColumnDef {
	d := ColumnDef{At: c.at(v.Location), Name: v.Colname, Type: c.typeName(v.TypeName)}
	d.Constraints = c.constraints(v.Constraints, []string{v.Colname})
	if v.CollClause != nil {
		d.Collation = names(v.CollClause.Collname)
	}
	return d
}

// constraints converts constraints; column is that of column constraints. An
// attribute (DEFERRABLE …) belongs to the constraint before it.
func (c *conv) constraints(ns []*pg.Node, column []string) []Constraint {
	var out []Constraint
	for _, n := range ns {
		v := n.GetConstraint()
		if v == nil {
			continue
		}
		kind, ok := constraintKinds[v.Contype]
		if !ok {
			if len(out) > 0 {
				last := &out[len(out)-1]
				last.Deferrable = last.Deferrable || v.Contype == pg.ConstrType_CONSTR_ATTR_DEFERRABLE
				last.NotEnforced = last.NotEnforced || pg.NewerOf(v).NotEnforced
			}
			continue
		}
		x := c.constraint(v, kind)
		if len(x.Columns) == 0 && (kind == ConForeignKey || kind == ConPrimaryKey || kind == ConUnique) && x.UsingIndex == "" {
			x.Columns = column
		}
		out = append(out, x)
	}
	return out
}

var constraintKinds = map[pg.ConstrType]ConstraintKind{
	pg.ConstrType_CONSTR_NOTNULL: ConNotNull, pg.ConstrType_CONSTR_NULL: ConNull, pg.ConstrType_CONSTR_DEFAULT: ConDefault,
	pg.ConstrType_CONSTR_IDENTITY: ConIdentity, pg.ConstrType_CONSTR_GENERATED: ConGenerated, pg.ConstrType_CONSTR_CHECK: ConCheck,
	pg.ConstrType_CONSTR_PRIMARY: ConPrimaryKey, pg.ConstrType_CONSTR_UNIQUE: ConUnique,
	pg.ConstrType_CONSTR_EXCLUSION: ConExclusion, pg.ConstrType_CONSTR_FOREIGN: ConForeignKey,
}

var fkActions = map[string]string{"a": "no-action", "r": "restrict", "c": "cascade", "n": "set-null", "d": "set-default"}

func (c *conv) constraint(v *pg.Constraint, kind ConstraintKind) Constraint {
	x := Constraint{At: c.at(v.Location), Kind: kind, Name: v.Conname, Columns: names(v.Keys), Include: names(v.Including),
		Expr: c.expr(v.RawExpr), UsingIndex: v.Indexname, NotValid: v.SkipValidation, NullsDistinct: !v.NullsNotDistinct,
		Deferrable: v.Deferrable, Method: v.AccessMethod, Where: c.expr(v.WhereClause)}
	newer := pg.NewerOf(v)
	x.NotEnforced, x.Temporal, x.Virtual = newer.NotEnforced, newer.Temporal, newer.Virtual
	switch kind {
	case ConIdentity:
		x.Identity = identity(v.GeneratedWhen)
	case ConForeignKey:
		x.Ref, x.Columns, x.RefColumns = rel(v.Pktable), names(v.FkAttrs), names(v.PkAttrs)
		x.OnDelete = fkActions[v.FkDelAction]
	case ConExclusion:
		for _, n := range v.Exclusions {
			items := n.GetList().GetItems()
			if len(items) < 2 {
				continue
			}
			e := c.indexElem(items[0].GetIndexElem())
			e.Operator = last(names(items[1].GetList().GetItems()))
			x.Elems = append(x.Elems, e)
		}
	}
	return x
}

func identity(when string) string {
	if when == "d" {
		return "by-default"
	}
	return "always"
}

func (c *conv) index(v *pg.IndexStmt) Stmt {
	return &CreateIndex{At: c.top(), Name: v.Idxname, Table: rel(v.Relation), Only: v.Relation != nil && !v.Relation.Inh,
		Unique: v.Unique, Concurrently: v.Concurrent, IfNotExists: v.IfNotExists, Method: strings.ToLower(v.AccessMethod),
		Keys: c.indexElems(v.IndexParams), Include: includes(v.IndexIncludingParams), Where: c.expr(v.WhereClause),
		NullsDistinct: !v.NullsNotDistinct}
}

func includes(ns []*pg.Node) []string {
	var out []string
	for _, n := range ns {
		out = append(out, n.GetIndexElem().GetName())
	}
	return out
}

func (c *conv) indexElems(ns []*pg.Node) []IndexElem {
	var out []IndexElem
	for _, n := range ns {
		if e := n.GetIndexElem(); e != nil {
			out = append(out, c.indexElem(e))
		}
	}
	return out
}

func (c *conv) indexElem(v *pg.IndexElem) IndexElem {
	e := IndexElem{At: -1, Column: v.GetName(), Expr: c.expr(v.GetExpr()), Collation: names(v.GetCollation()),
		OpClass: names(v.GetOpclass()), Desc: v.GetOrdering() == pg.SortByDir_SORTBY_DESC}
	if e.Expr != nil {
		e.At = At(e.Expr.Pos())
	}
	e.NullsFirst = e.Desc
	switch v.GetNullsOrdering() {
	case pg.SortByNulls_SORTBY_NULLS_FIRST:
		e.NullsFirst = true
	case pg.SortByNulls_SORTBY_NULLS_LAST:
		e.NullsFirst = false
	}
	return e
}

package migrationscan

import (
	"github.com/planvet/planvet/catalog"
	"github.com/planvet/planvet/internal/pgast"
)

// uses is what an expression or a view's query refers to. The server keeps the
// same in pg_depend: renames follow it, and drops are held by it or cascade.
type uses struct {
	// owner is the table that the expression belongs to, or the view itself.
	owner     *catalog.Relation
	relations map[catalog.Name]bool
	functions map[catalog.Name]bool
	types     map[catalog.Name]bool
	columns   map[catalog.Name]map[string]bool
}

// scope is the relations that one query level can name, innermost first.
type scope struct {
	outer *scope
	// names are the aliases; a nil relation is a subquery, a function or a CTE.
	names map[string]*catalog.Relation
	order []*catalog.Relation
	ctes  map[string]bool
	// self is set for the level of the expression's own table.
	self bool
}

// refs calls f for each reference that the names of n make, with what it means.
type refs struct {
	r        *replayer
	column   func(c *pgast.ColumnRef, rel *catalog.Relation)
	table    func(t *pgast.Table, rel *catalog.Relation)
	function func(f *pgast.FuncCall, name catalog.Name)
	typ      func(t *pgast.TypeName)
}

// walk visits an expression of the table self, or a query with self nil.
func (v refs) walk(n pgast.Node, self *catalog.Relation) {
	s := &scope{names: map[string]*catalog.Relation{}, self: true}
	if self != nil {
		s.names[self.Name.Name] = self
		s.order = []*catalog.Relation{self}
	}
	if st, ok := n.(pgast.Stmt); ok {
		s = v.open(st, s)
	}
	v.level(n, s)
}

func (v refs) level(n pgast.Node, s *scope) {
	if n == nil {
		return
	}
	pgast.Walk(n, func(x pgast.Node) bool {
		switch x := x.(type) {
		case *pgast.Select, *pgast.Insert, *pgast.Update, *pgast.Delete, *pgast.Merge:
			if x == n {
				return true
			}
			v.level(x, v.open(x.(pgast.Stmt), s))
			return false
		case *pgast.Table:
			if rel := v.find(x, s); rel != nil && v.table != nil {
				v.table(x, rel)
			}
		case *pgast.ColumnRef:
			if rel := s.resolve(x); rel != nil && v.column != nil {
				v.column(x, rel)
			}
		case *pgast.FuncCall:
			v.call(x)
		case *pgast.Cast:
			if v.typ != nil {
				v.typ(&x.Type)
			}
		}
		return true
	})
}

func (v refs) call(f *pgast.FuncCall) {
	if v.function == nil || len(f.Name) == 0 {
		return
	}
	schema, name := "", f.Name[len(f.Name)-1]
	if len(f.Name) > 1 {
		schema = f.Name[len(f.Name)-2]
	}
	if fs := v.r.cat.ResolveFunctions(schema, name, v.r.lookupPath()); len(fs) > 0 {
		v.function(f, fs[0].Name)
	}
}

// find resolves a table of FROM, unless a CTE hides it.
func (v refs) find(t *pgast.Table, s *scope) *catalog.Relation {
	if t.Schema == "" {
		for l := s; l != nil; l = l.outer {
			if l.ctes[t.Name] {
				return nil
			}
		}
	}
	return v.r.cat.Resolve(t.Schema, t.Name, v.r.lookupPath())
}

// open is the scope inside a statement.
func (v refs) open(st pgast.Stmt, outer *scope) *scope {
	s := &scope{outer: outer, names: map[string]*catalog.Relation{}, ctes: map[string]bool{}}
	var with *pgast.With
	var items []pgast.FromItem
	table := func(t *pgast.Table) {
		if t != nil {
			items = append(items, t)
		}
	}
	switch x := st.(type) {
	case *pgast.Select:
		with, items = x.With, x.From
	case *pgast.Insert:
		with = x.With
		table(x.Table)
	case *pgast.Update:
		with, items = x.With, x.From
		table(x.Table)
	case *pgast.Delete:
		with, items = x.With, x.Using
		table(x.Table)
	case *pgast.Merge:
		with, items = x.With, []pgast.FromItem{x.Source}
		table(x.Table)
	}
	if with != nil {
		for _, c := range with.CTEs {
			s.ctes[c.Name] = true
		}
	}
	for _, it := range items {
		v.add(s, it)
	}
	return s
}

func (v refs) add(s *scope, it pgast.FromItem) {
	switch x := it.(type) {
	case *pgast.Table:
		rel := v.find(x, s)
		s.names[x.RefName()] = rel
		if rel != nil {
			s.order = append(s.order, rel)
		}
	case *pgast.Subquery:
		s.names[x.Alias] = nil
	case *pgast.FuncTable:
		s.names[x.Alias] = nil
	case *pgast.Join:
		v.add(s, x.Left)
		v.add(s, x.Right)
	}
}

// resolve finds the relation whose column a reference means, nil where it is
// none's or not known.
func (s *scope) resolve(c *pgast.ColumnRef) *catalog.Relation {
	if len(c.Names) == 0 {
		return nil
	}
	if len(c.Names) > 1 || c.Star {
		q := c.Names[len(c.Names)-1]
		if !c.Star {
			q = c.Names[len(c.Names)-2]
		}
		for l := s; l != nil; l = l.outer {
			if rel, ok := l.names[q]; ok {
				return rel
			}
		}
		return nil
	}
	for l := s; l != nil; l = l.outer {
		for _, rel := range l.order {
			if rel.Column(c.Names[0]) != nil {
				return rel
			}
		}
	}
	// A whole row, or a stub's column.
	for l := s; l != nil; l = l.outer {
		if rel, ok := l.names[c.Names[0]]; ok {
			return rel
		}
	}
	return nil
}

// usesOf collects what expressions of the table self, or a query, refer to.
func (r *replayer) usesOf(self *catalog.Relation, nodes ...pgast.Node) *uses {
	u := &uses{
		owner: self, relations: map[catalog.Name]bool{}, functions: map[catalog.Name]bool{},
		types: map[catalog.Name]bool{}, columns: map[catalog.Name]map[string]bool{},
	}
	v := refs{r: r,
		column: func(c *pgast.ColumnRef, rel *catalog.Relation) {
			if u.columns[rel.Name] == nil {
				u.columns[rel.Name] = map[string]bool{}
			}
			name := c.Names[len(c.Names)-1]
			if c.Star || rel.Column(name) == nil {
				for _, k := range rel.Columns {
					u.columns[rel.Name][k.Name] = true
				}
				return
			}
			u.columns[rel.Name][name] = true
		},
		table:    func(_ *pgast.Table, rel *catalog.Relation) { u.relations[rel.Name] = true },
		function: func(_ *pgast.FuncCall, n catalog.Name) { u.functions[n] = true },
		typ: func(t *pgast.TypeName) {
			if p := r.printType(*t, true); p.name != (catalog.Name{}) {
				u.types[p.name] = true
			}
		},
	}
	for _, n := range nodes {
		if !isNil(n) {
			v.walk(n, self)
		}
	}
	return u
}

// isNil tells a missing expression from one.
func isNil(n pgast.Node) bool {
	if n == nil {
		return true
	}
	e, ok := n.(pgast.Expr)
	return ok && e == nil
}

// note remembers the uses of what holder defines.
func (r *replayer) note(holder any, owner *catalog.Relation, nodes ...pgast.Node) {
	r.uses[holder] = r.usesOf(owner, nodes...)
}

// noteIndex remembers what an index was made of. Its attributes keep their names
// when columns are renamed, and copies of it are named by them.
func (r *replayer) noteIndex(x *catalog.Index, rel *catalog.Relation, elems []pgast.IndexElem, where pgast.Expr) {
	r.attributes[x] = indexColumns(elems, x.Include)
	nodes := []pgast.Node{}
	if where != nil {
		nodes = append(nodes, where)
	}
	for _, e := range elems {
		if e.Expr != nil {
			nodes = append(nodes, e.Expr)
		}
	}
	if len(nodes) > 0 {
		r.note(x, rel, nodes...)
	}
}

// copyUses gives a copy on another table the uses of the original.
func (r *replayer) copyUses(to, from any, owner *catalog.Relation) {
	u := r.uses[from]
	if u == nil {
		return
	}
	c := *u
	c.owner = owner
	if u.owner != nil {
		c.columns = map[catalog.Name]map[string]bool{}
		for n, cols := range u.columns {
			if n == u.owner.Name {
				n = owner.Name
			}
			c.columns[n] = cols
		}
	}
	r.uses[to] = &c
}

// normal is the normal form of an expression of a table.
func (r *replayer) normal(e pgast.Expr, self *catalog.Relation) string {
	if e == nil {
		return ""
	}
	return pgast.Normal(e, r.selfEnv(self), pgast.Name{Schema: self.Schema, Name: self.Name.Name})
}

// selfEnv knows a table that is still being built.
func (r *replayer) selfEnv(self *catalog.Relation) pgast.Env {
	return building{env{r.cat, r.lookupPath()}, self}
}

// building is an env with one table that the catalog does not hold yet.
type building struct {
	env
	self *catalog.Relation
}

func (b building) ColumnType(schema, rel, col string) string {
	if b.self != nil && rel == b.self.Name.Name && (schema == "" || schema == b.self.Schema) {
		if c := b.self.Column(col); c != nil {
			return c.QualifiedType()
		}
		return ""
	}
	return b.env.ColumnType(schema, rel, col)
}

package predicate

import (
	"slices"
	"strings"

	"github.com/planvet/planvet/catalog"
	"github.com/planvet/planvet/catalog/builtin"
	"github.com/planvet/planvet/internal/pgast"
)

// maxNesting bounds views in views and subqueries in subqueries; maxViews how many
// are expanded in all: where each view names another twice, the number doubles with
// each level.
const (
	maxNesting = 60
	maxViews   = 500
)

// outerJoin marks the nullable side of an outer join. A clause and a relation
// carry the stack of those that they stand under; a clause may restrict a scan
// only where the two stacks are equal: a WHERE clause does not restrict a
// relation that an outer join may null, and an ON clause of an outer join
// restricts its nullable side only. A strict clause above a join takes the mark
// away (the join is an inner join then).
type outerJoin struct {
	reduced bool
	// anti is set for NOT EXISTS: never reduced.
	anti bool
}

// clause is one condition of a block, its columns bound.
type clause struct {
	expr    pgast.Expr
	pos     int // -1 when it does not stand in the statement
	at      []*outerJoin
	policy  *Rel // the relation whose policy it comes from
	derived bool // from an equivalence class
}

// outCol is an output column of a row source; expr is nil when unknown.
type outCol struct {
	name string
	expr pgast.Expr
}

// source is a name in FROM.
type source struct {
	schema, relation, alias string
	cols                    []outCol
	// open is set when not all columns are known: a column of any name may be its.
	open bool
	rel  *Rel
}

func (s *source) column(name string) (pgast.Expr, bool) {
	for _, c := range s.cols {
		if c.name == name {
			return c.expr, true
		}
	}
	return nil, false
}

// scope is what an expression can name.
type scope struct {
	parent *scope
	block  *Block
	// query is set for the scope of a whole query, not for one side of a join.
	query   bool
	sources []*source
	// merged are the columns of USING and NATURAL, which belong to both sides.
	merged []outCol
	ctes   *cteScope
}

type cteScope struct {
	parent *cteScope
	cte    *cte
}

// cte is a WITH query in scope.
type cte struct {
	name  string
	query pgast.Stmt
	cols  []string
	// inline is set when the planner merges it into its only user.
	inline bool
	env    *cteScope
	outer  *scope
	block  *Block // of one that is computed apart
	base   *Block // of a recursive one: the arm that starts it
	out    []outCol
	// working is set while the recursive term of itself is resolved.
	working bool
}

// derived is a row source that is no relation of the catalog.
type derived struct {
	// block is the subquery's; nil for functions and VALUES.
	block *Block
	// out are its outputs in each arm of a UNION, by the source's column names.
	out []arm
	// few tells how surely it yields few rows, where there is no block.
	few Likelihood
	// push is set when quals on it may be pushed into its block.
	push bool
	// needs are the relations of the same block that a LATERAL refers to.
	needs []*Rel
}

type arm struct {
	block *Block
	cols  []outCol
}

type resolver struct {
	cat   *catalog.Catalog
	o     Options
	an    *Analysis
	nest  int
	views int // expanded so far
	pos   int // where a view is named, -1 outside of views
	view  bool
	// inPolicy is set while a policy's expression is bound.
	inPolicy bool
	said     map[string]bool
	parts    map[catalog.Name][]*catalog.Relation
	byPart   bool
	exprs    map[string]pgast.Expr // parsed catalog texts
	facts    *builtin.Facts
}

func newResolver(cat *catalog.Catalog, o Options, an *Analysis) *resolver {
	return &resolver{
		cat: cat, o: o, an: an, pos: -1,
		said: map[string]bool{}, exprs: map[string]pgast.Expr{}, facts: builtin.For(o.major()),
	}
}

func (r *resolver) newBlock(stmt pgast.Node, parent *Block) *Block {
	b := &Block{Stmt: stmt, Parent: parent, OrderPos: -1, LimitRows: -1, resolver: r, FromPolicy: r.inPolicy}
	if parent != nil {
		b.Depth = parent.Depth + 1
	}
	r.an.Blocks = append(r.an.Blocks, b)
	return b
}

func (r *resolver) unresolved(what string) {
	if !r.said[what] {
		r.said[what] = true
		r.an.Unresolved = append(r.an.Unresolved, what)
	}
}

// at is a position as findings use it: that of the view's name inside of views.
func (r *resolver) at(n pgast.Node) int {
	if r.pos >= 0 || r.view {
		return r.pos
	}
	return n.Pos()
}

func (r *resolver) addRel(b *Block, rel *Rel, nb []*outerJoin) *Rel {
	rel.Block = b
	rel.nullBy = slices.Clone(nb)
	rel.ViaView = r.view
	b.Rels = append(b.Rels, rel)
	return rel
}

// addClause records a bound condition.
func (b *Block) addClause(r *resolver, e pgast.Expr, nb []*outerJoin) {
	if isNil(e) {
		return
	}
	pos := r.pos
	if !r.view {
		pos = start(e)
	}
	b.clauses = append(b.clauses, &clause{expr: e, pos: pos, at: slices.Clone(nb)})
}

// start is where an expression's key stands: the leftmost known position.
func start(e pgast.Expr) int {
	best := -1
	each(e, func(x pgast.Expr) bool {
		if p := x.Pos(); p >= 0 && (best < 0 || p < best) {
			best = p
		}
		return true
	})
	return best
}

// bind binds an expression's columns; its subqueries become blocks.
func (r *resolver) bind(sc *scope, e pgast.Expr) pgast.Expr {
	return rewrite(e, func(x pgast.Expr) pgast.Expr {
		switch x := x.(type) {
		case *pgast.ColumnRef:
			return r.column(sc, x)
		case *pgast.SubLink:
			s := &subquery{SubLink: *x}
			s.Test = r.bind(sc, x.Test)
			s.block, s.out = r.query(x.Query, sc, sc.block)
			s.block.Hashable = x.Kind == pgast.SubExists || x.Kind == pgast.SubAny
			sc.block.sublinks = append(sc.block.sublinks, s.block)
			return s
		case *Var, *subquery:
			return x
		}
		return nil
	})
}

// column binds a name: USING columns and sources of this level first, then those
// of the levels around it, then variables.
func (r *resolver) column(sc *scope, c *pgast.ColumnRef) pgast.Expr {
	if c.Star || len(c.Names) == 0 {
		return c
	}
	name := c.Names[len(c.Names)-1]
	open := false
	for s := sc; s != nil; s = s.parent {
		if len(c.Names) == 1 {
			for _, m := range s.merged {
				if m.name == name {
					return r.use(sc, c, m.expr)
				}
			}
		}
		for _, src := range s.sources {
			if !src.named(c.Names[:len(c.Names)-1]) {
				continue
			}
			if e, ok := src.column(name); ok {
				return r.use(sc, c, e)
			}
			open = open || src.open
		}
		if len(c.Names) == 1 {
			for _, src := range s.sources {
				if src.alias == name { // the whole row
					return r.use(sc, c, &Var{ColumnRef: *c, Rel: src.rel})
				}
			}
		}
	}
	if r.o.Variables[strings.ToLower(c.Names[0])] && !open {
		return &pgast.Param{At: c.At}
	}
	if !open {
		r.unresolved("column " + strings.Join(c.Names, "."))
	}
	return &Var{ColumnRef: *c}
}

// named reports whether the qualifier in front of a column means this source.
func (s *source) named(q []string) bool {
	switch len(q) {
	case 0:
		return true
	case 1:
		return s.alias == q[0]
	case 2:
		return s.relation == q[1] && s.alias == s.relation && (s.schema == "" || s.schema == q[0])
	}
	return false
}

// use hands out the expression behind a column, with the position of its use, and
// marks the blocks that refer to one around them.
func (r *resolver) use(sc *scope, c *pgast.ColumnRef, e pgast.Expr) pgast.Expr {
	if isNil(e) {
		return &Var{ColumnRef: *c}
	}
	if v, ok := e.(*Var); ok {
		n := *v
		n.At = c.At
		e = &n
	}
	for _, v := range vars(e) {
		if v.Rel == nil {
			continue
		}
		for b := sc.block; b != nil && b != v.Rel.Block; b = b.Parent {
			b.Correlated = true
			b.outer = append(b.outer, v)
		}
	}
	return e
}

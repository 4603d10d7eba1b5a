package predicate

import (
	"github.com/planvet/planvet/catalog"
	"github.com/planvet/planvet/internal/pgast"
)

// analyze runs the steps of the package's doc comment.
func analyze(cat *catalog.Catalog, stmt pgast.Stmt, o Options) *Analysis {
	an := &Analysis{}
	r := newResolver(cat, o, an)
	root := r.statement(stmt)
	if root != nil {
		root.finish(r)
	}
	for _, b := range an.Blocks { // CTEs and data-modifying parts that nobody scans
		b.finish(r)
	}
	return an
}

// statement resolves any statement; nil when it has no query in it.
func (r *resolver) statement(stmt pgast.Stmt) *Block {
	switch s := stmt.(type) {
	case *pgast.Explain:
		return r.statement(s.Query)
	case *pgast.Prepare:
		return r.statement(s.Query)
	case *pgast.DeclareCursor:
		return r.statement(s.Query)
	case *pgast.Copy:
		if s.Query == nil {
			return nil
		}
		return r.statement(s.Query)
	case *pgast.CreateTableAs:
		return r.statement(s.Query)
	case *pgast.CreateView:
		return r.statement(s.Query)
	case *pgast.Select, *pgast.Insert, *pgast.Update, *pgast.Delete, *pgast.Merge:
		b, _ := r.query(stmt, nil, nil)
		return b
	case *pgast.Call:
		b := r.newBlock(s, nil)
		sc := &scope{block: b}
		for _, a := range s.Func.Args {
			r.bind(sc, a)
		}
		return b
	}
	return nil
}

package engine

import (
	"path"
	"strings"

	"github.com/planvet/planvet/catalog"
	"github.com/planvet/planvet/internal/pgast"
	"github.com/planvet/planvet/internal/predicate"
	"github.com/planvet/planvet/sqllint"
)

// assign gives each statement to the database that knows most of its relations.
// Among equals the one whose folder is nearest to the statement wins, then the
// first: services of one repository keep their queries beside their migrations.
func (p *Project) assign(stmts []*sqllint.Statement) {
	for _, s := range stmts {
		db := p.databaseFor(tableNames(s), s.SearchPath, s.Location.Path)
		db.Statements = append(db.Statements, s)
	}
}

func (p *Project) databaseFor(tables []catalog.Name, searchPath []string, file string) *Database {
	best := p.Databases[0]
	if len(p.Databases) == 1 {
		return best
	}
	most, near := -1, -1
	for _, db := range p.Databases {
		known := 0
		for _, n := range tables {
			if db.Catalog.Resolve(n.Schema, n.Name, searchPath) != nil {
				known++
			}
		}
		shared := commonFolders(db.Set.Dir, path.Dir(file))
		if known > most || known == most && shared > near {
			best, most, near = db, known, shared
		}
	}
	return best
}

func tableNames(s *sqllint.Statement) []catalog.Name {
	var out []catalog.Name
	pgast.Walk(s.Stmt, func(n pgast.Node) bool {
		if t, ok := n.(*pgast.Table); ok {
			out = append(out, catalog.Name{Schema: t.Schema, Name: t.Name})
		}
		return true
	})
	return out
}

func commonFolders(a, b string) int {
	x, y := strings.Split(a, "/"), strings.Split(b, "/")
	n := 0
	for n < len(x) && n < len(y) && x[n] == y[n] {
		n++
	}
	return n
}

// applyRoles fills in the role that config, or the command line, gives
// statements whose own code tells nothing.
func (p *Project) applyRoles(stmts []*sqllint.Statement) {
	for _, s := range stmts {
		if s.RoleKnown {
			continue
		}
		if role, ok := longestMatch(p.Config.Roles, s.Location.Path); ok {
			s.Role, s.RoleKnown = role, true
		} else if p.opts.Role != "" {
			s.Role, s.RoleKnown = p.opts.Role, true
		}
	}
}

// longestMatch finds the most specific key that is a glob or a folder of file.
func longestMatch(m map[string]string, file string) (string, bool) {
	best, found := "", false
	for k := range m {
		if !matchGlob(strings.TrimSuffix(strings.TrimPrefix(k, "./"), "/..."), file) {
			continue
		}
		if !found || len(k) > len(best) || len(k) == len(best) && k < best {
			best, found = k, true
		}
	}
	return m[best], found
}

// sizes are config's row counts over those of the statistics over the profile.
func (p *Project) sizes(db *Database) catalog.Sizes {
	if db.Statistics != nil {
		return configured{p, db.Statistics.Sizes(p.profile(db))}
	}
	return configured{p, p.profile(db)}
}

// profile are the sizes that tables have where nothing tells.
func (p *Project) profile(db *Database) catalog.Sizes {
	stmts := make([]pgast.Stmt, 0, len(db.Statements))
	for _, s := range db.Statements {
		stmts = append(stmts, s.Stmt)
	}
	return predicate.DefaultSizes(db.Catalog, stmts)
}

type configured struct {
	p    *Project
	base catalog.Sizes
}

// Rows implements catalog.Sizes.
func (c configured) Rows(r *catalog.Relation) (int64, string) {
	if n, ok := c.p.Config.Rows(r.Schema, r.Name.Name); ok {
		return n, "profile"
	}
	if c.base == nil {
		return 100_000, "default"
	}
	return c.base.Rows(r)
}

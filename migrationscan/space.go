package migrationscan

import (
	"regexp"
	"slices"
	"strings"

	"github.com/planvet/planvet/catalog"
	"github.com/planvet/planvet/internal/pgast"
)

// tempSchema stands for the session's own; its tables end with the replay.
const tempSchema = "pg_temp"

var setLocal = regexp.MustCompile(`(?i)^\s*set\s+local\s+`)

// lookupPath is the search path for resolving, temporary tables first.
func (r *replayer) lookupPath() []string { return append([]string{tempSchema}, r.path...) }

func (r *replayer) env() pgast.Env { return env{r.cat, r.lookupPath()} }

// set applies SET search_path.
func (r *replayer) set(x *pgast.Set) error {
	switch {
	case x.Name == "all" && x.Reset, x.Name == "search_path" && x.Reset:
		r.path = r.start
	case x.Name == "search_path":
		r.path = searchPath(strings.Join(x.Values, ","))
	}
	return nil
}

// searchPath splits the text of a search path; "$user" and empty names are no
// schemas of a migration.
func searchPath(text string) []string {
	path := []string{}
	for p := range strings.SplitSeq(text, ",") {
		if p = strings.Trim(strings.TrimSpace(p), `"`); p != "" && p != "$user" {
			path = append(path, p)
		}
	}
	return path
}

// setPath is the statement that sets a search path.
func setPath(path []string) string {
	if len(path) == 0 {
		return "SET search_path TO ''"
	}
	quoted := make([]string, len(path))
	for i, s := range path {
		quoted[i] = quoteIdent(s)
	}
	return "SET search_path TO " + strings.Join(quoted, ", ")
}

// setConfig recognises SELECT set_config('search_path', …).
func setConfig(x *pgast.Select) (value string, ok bool) {
	if len(x.Targets) != 1 {
		return "", false
	}
	f, ok := x.Targets[0].Expr.(*pgast.FuncCall)
	if !ok || len(f.Args) < 2 || len(f.Name) == 0 || f.Name[len(f.Name)-1] != "set_config" {
		return "", false
	}
	name, ok1 := f.Args[0].(*pgast.Const)
	val, ok2 := f.Args[1].(*pgast.Const)
	if !ok1 || !ok2 || !strings.EqualFold(name.Text, "search_path") {
		return "", false
	}
	return val.Text, true
}

// sel applies the selects that change a schema: set_config, SELECT INTO, and calls of
// functions, which are marked.
func (r *replayer) sel(x *pgast.Select) error {
	if v, ok := setConfig(x); ok {
		r.path = searchPath(v)
		return nil
	}
	if x.Into != nil {
		query := *x
		query.Into = nil
		return r.createTableAs(&pgast.CreateTableAs{
			At: x.At, Table: pgast.Name{Schema: x.Into.Schema, Name: x.Into.Name}, Query: &query, Temp: x.IntoTemp,
		})
	}
	return r.calls(x)
}

// creation is where an object that is named so is created: the first schema of
// the search path that exists.
func (r *replayer) creation(n pgast.Name) (catalog.Name, error) {
	if n.Schema == "" {
		for _, s := range r.path {
			if r.cat.HasSchema(s) {
				return catalog.Name{Schema: s, Name: truncated(n.Name)}, nil
			}
		}
		if len(r.path) == 0 {
			return catalog.Name{}, fail("no schema is chosen to create %s in", n.Name)
		}
		n.Schema = r.path[0]
	}
	if !r.cat.HasSchema(n.Schema) && n.Schema != tempSchema && n.Schema != "pg_catalog" {
		// It is taken as given, and said once.
		r.cat.AddSchema(n.Schema)
		r.given = append(r.given, n.Schema)
	}
	return catalog.Name{Schema: n.Schema, Name: truncated(n.Name)}, nil
}

// resolve finds a relation as the statement names it.
func (r *replayer) resolve(n pgast.Name) *catalog.Relation {
	return r.cat.Resolve(n.Schema, truncated(n.Name), r.lookupPath())
}

// relation finds a relation or makes a stub of it; nil in a guarded branch.
func (r *replayer) relation(n pgast.Name) *catalog.Relation {
	if rel := r.resolve(n); rel != nil {
		if rel.Stub {
			r.stubbed = append(r.stubbed, rel.Name.String())
		}
		return rel
	}
	if r.quiet {
		return nil
	}
	full, err := r.creation(n)
	if err != nil {
		return nil
	}
	if _, taken := r.sequences[full]; taken || r.indexes[full] != nil {
		return nil
	}
	rel := &catalog.Relation{Name: full, Kind: catalog.Table, Stub: true, Location: r.place(0)}
	r.cat.AddRelation(rel)
	r.stubbed = append(r.stubbed, full.String())
	return rel
}

// nameTaken asks the name space that tables, views, indexes, sequences and
// composite types share.
func (r *replayer) nameTaken(schema, name string) bool {
	n := catalog.Name{Schema: schema, Name: name}
	if r.indexes[n] != nil {
		return true
	}
	if _, ok := r.sequences[n]; ok {
		return true
	}
	if rel := r.cat.Relation(schema, name); rel != nil && !rel.Stub {
		return true
	}
	t := r.cat.Type(schema, name)
	return t != nil && t.Kind == "composite"
}

func (r *replayer) constraintTaken(schema, name string) bool {
	return r.constraints[catalog.Name{Schema: schema, Name: name}] > 0
}

func in(rel *catalog.Relation, name string) catalog.Name {
	return catalog.Name{Schema: rel.Schema, Name: name}
}

func (r *replayer) addIndex(rel *catalog.Relation, x *catalog.Index) {
	rel.Indexes = append(rel.Indexes, x)
	r.indexes[in(rel, x.Name)] = rel
}

func (r *replayer) removeIndex(rel *catalog.Relation, x *catalog.Index) {
	rel.Indexes = slices.DeleteFunc(rel.Indexes, func(y *catalog.Index) bool { return y == x })
	delete(r.indexes, in(rel, x.Name))
	delete(r.uses, x)
	for _, kid := range r.children[rel.Name] {
		for _, y := range slices.Clone(kid.Indexes) {
			if r.indexParent[y] == x {
				r.removeIndex(kid, y)
				if y.Constraint {
					r.dropConstraintEntry(kid, y.Name)
				}
			}
		}
	}
	delete(r.indexParent, x)
	delete(r.attributes, x)
}

func (r *replayer) addConstraint(rel *catalog.Relation, c *catalog.Constraint) {
	rel.Constraints = append(rel.Constraints, c)
	r.constraints[in(rel, c.Name)]++
}

// dropConstraintEntry takes a constraint out of its table, without its index.
func (r *replayer) dropConstraintEntry(rel *catalog.Relation, name string) {
	c := rel.Constraint(name)
	if c == nil {
		return
	}
	rel.Constraints = slices.DeleteFunc(rel.Constraints, func(d *catalog.Constraint) bool { return d == c })
	delete(r.uses, c)
	if n := in(rel, name); r.constraints[n] > 1 {
		r.constraints[n]--
	} else {
		delete(r.constraints, n)
	}
}

// renameIndex and renameConstraint keep the name spaces right.
func (r *replayer) renameIndex(rel *catalog.Relation, x *catalog.Index, to string) {
	delete(r.indexes, in(rel, x.Name))
	x.Name = to
	r.indexes[in(rel, to)] = rel
}

func (r *replayer) renameConstraint(rel *catalog.Relation, c *catalog.Constraint, to string) {
	if n := in(rel, c.Name); r.constraints[n] > 1 {
		r.constraints[n]--
	} else {
		delete(r.constraints, n)
	}
	c.Name = to
	r.constraints[in(rel, to)]++
}

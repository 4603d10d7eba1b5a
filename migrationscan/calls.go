package migrationscan

import (
	"regexp"
	"slices"
	"strings"

	"github.com/planvet/planvet/catalog"
	"github.com/planvet/planvet/catalog/builtin"
	"github.com/planvet/planvet/internal/pgast"
)

var (
	// runsDDL and pathWord are in the body of a function that can change how a table is
	// reached. Partitions take the indexes of their parent, and are none.
	runsDDL  = regexp.MustCompile(`(?i)\b(?:execute|create|alter|drop)\b`)
	pathWord = regexp.MustCompile(`(?i)\b(?:index|policy|(?:add|drop)\s+(?:constraint|unique|primary))\b`)
	// harmless are functions of which a name is all that is known, and says that they
	// make no access path.
	harmless = regexp.MustCompile(`(?i)trigger|audit|updated_at|notif|publi|comment|seed|partition`)
)

// calls marks the tables that a SELECT names to functions which may change them, and
// which the replay does not follow: a function that no migration makes, or one whose
// body runs DDL. It lists the call where it names a table:
//
//	select define_index('customer_id', 'orders');
func (r *replayer) calls(x *pgast.Select) error {
	var changed []string
	var by string
	pgast.Walk(x, func(n pgast.Node) bool {
		f, ok := n.(*pgast.FuncCall)
		if !ok || len(f.Name) == 0 || !r.changes(f) {
			return true
		}
		for _, rel := range r.named(f) {
			at := r.place(0)
			if !slices.Contains(rel.ChangedBy, at) {
				rel.ChangedBy = append(rel.ChangedBy, at)
			}
			changed, by = append(changed, rel.Name.String()), f.Name[len(f.Name)-1]
		}
		return true
	})
	if len(changed) == 0 {
		return nil
	}
	slices.Sort(changed)
	return fail("%s() may make indexes or policies of %s; it is not followed", by, strings.Join(slices.Compact(changed), ", "))
}

// changes reports whether a function may run DDL.
func (r *replayer) changes(f *pgast.FuncCall) bool {
	name, schema := f.Name[len(f.Name)-1], ""
	if len(f.Name) > 1 {
		schema = f.Name[len(f.Name)-2]
	}
	if schema == "pg_catalog" {
		return false
	}
	known := r.cat.ResolveFunctions(schema, name, r.path)
	if len(known) == 0 {
		return (schema != "" || len(builtin.For(builtin.Oldest).FunctionAny(name)) == 0) && !harmless.MatchString(schema+"."+name)
	}
	return slices.ContainsFunc(known, func(k *catalog.Function) bool {
		return k.Kind != "aggregate" && runsDDL.MatchString(k.Body) && pathWord.MatchString(k.Body)
	})
}

// named are the tables that the literals of a call name, with or without a schema.
func (r *replayer) named(f *pgast.FuncCall) []*catalog.Relation {
	var texts []string
	for _, a := range f.Args {
		pgast.Walk(a, func(n pgast.Node) bool {
			if c, ok := n.(*pgast.Const); ok && c.Kind == pgast.ConstString {
				texts = append(texts, strings.ReplaceAll(c.Text, `"`, ""))
			}
			return true
		})
	}
	var out []*catalog.Relation
	add := func(rel *catalog.Relation) {
		if rel != nil && rel.IsTable() && !slices.Contains(out, rel) {
			out = append(out, rel)
		}
	}
	for _, t := range texts {
		schema, name, dotted := strings.Cut(t, ".")
		if dotted {
			add(r.cat.Relation(schema, name))
			continue
		}
		add(r.cat.Resolve("", t, r.path))
		for _, s := range texts { // ('app_public', 'orders', 'customer_id')
			add(r.cat.Relation(s, t))
		}
	}
	return out
}

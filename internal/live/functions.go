package live

import (
	"encoding/json"
	"slices"
	"strings"

	"github.com/planvet/planvet/catalog"
)

// indexKey reads a key as indexKeys selects it.
func indexKey(text string) catalog.IndexKey {
	var v []string
	if json.Unmarshal([]byte(text), &v) != nil || len(v) != 6 {
		return catalog.IndexKey{}
	}
	return catalog.IndexKey{Column: v[0], Expr: v[1], OpClass: v[2], Collation: v[3], Desc: v[4] != "0", NullsFirst: v[5] != "0"}
}

func (l *loader) functions() {
	body := "''"
	if l.major >= 14 {
		body = "coalesce(pg_catalog.pg_get_function_sqlbody(p.oid), '')"
	}
	sql := `select n.nspname, p.proname, p.prokind::text,
		array(select pg_catalog.format_type(t, null) from unnest(p.proargtypes::oid[]) with ordinality a(t, pos) order by pos),
		coalesce(p.proargnames, '{}'), coalesce(p.proargmodes::text[], '{}'),
		pg_catalog.format_type(p.prorettype, null), p.proretset, la.lanname, p.provolatile::text, p.proisstrict, p.prosecdef, p.proleakproof,
		coalesce((select substr(c, 13) from unnest(p.proconfig) c where c like 'search_path=%'), ''),
		exists (select 1 from unnest(p.proconfig) c where c like 'search_path=%'),
		p.prosrc, ` + body + `,
		case when p.prokind in ('f', 'p') then pg_catalog.pg_get_functiondef(p.oid) else '' end
		from pg_catalog.pg_proc p join pg_catalog.pg_namespace n on n.oid = p.pronamespace
		join pg_catalog.pg_language la on la.oid = p.prolang
		where ` + userSchema + ` and ` + notOfExtension("pg_proc", "p.oid") + ` order by 1, 2, p.oid`
	var f catalog.Function
	var kind, volatility, sqlBody string
	var names, modes []string
	dest := []any{
		&f.Schema, &f.Name.Name, &kind, &f.Args, &names, &modes, &f.Returns, &f.ReturnsSet, &f.Language, &volatility,
		&f.Strict, &f.SecurityDefiner, &f.Leakproof, &f.SearchPath, &f.HasSearchPath, &f.Body, &sqlBody, &f.Definition,
	}
	kinds := map[string]string{"f": "function", "p": "procedure", "a": "aggregate", "w": "window"}
	volatilities := map[string]string{"i": "immutable", "s": "stable", "v": "volatile"}
	l.rows(sql, dest, func() {
		g := f
		g.Kind, g.Volatility, g.Args = kinds[kind], volatilities[volatility], slices.Clone(f.Args)
		for i := range g.Args {
			g.Args[i] = printed(g.Args[i])
		}
		g.Returns = printed(g.Returns)
		g.ArgNames, g.OutNames = argNames(len(g.Args), names, modes)
		if sqlBody != "" {
			g.Body = sqlBody
		}
		g.Definition = strings.TrimSpace(f.Definition)
		l.cat.AddFunction(&g)
	})
}

// argNames tells the names of inputs from those of outputs. Modes are i, o, b, v
// and t, or none where all are inputs; names may be fewer than arguments.
func argNames(inputs int, names, modes []string) (in, out []string) {
	n := max(len(names), len(modes), inputs)
	for i := range n {
		name, mode := "", "i"
		if i < len(names) {
			name = names[i]
		}
		if i < len(modes) {
			mode = modes[i]
		}
		if mode != "o" && mode != "t" {
			in = append(in, name)
		}
		if mode == "o" || mode == "t" || mode == "b" {
			out = append(out, name)
		}
	}
	return in, out
}

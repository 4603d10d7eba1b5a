package explain

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"

	"github.com/planvet/planvet/internal/live"
	"github.com/planvet/planvet/internal/plan"
)

// asked is the server that answers questions of facts, a session of package live.
type asked interface {
	Query(ctx context.Context, sql string, args ...*string) ([][]*string, error)
}

// LoadFacts asks the server of plans for what heuristics need to know of the tables
// in them. It reads catalogs and statistics views only, which any role may; what a
// role may not see is missing. SQL, Role, Generic and Catalog are the caller's to
// set.
func LoadFacts(ctx context.Context, s *live.Session, plans ...*plan.Plan) (*Facts, error) {
	return loadFacts(ctx, s, s.Major(), plans...)
}

func loadFacts(ctx context.Context, s asked, major int, plans ...*plan.Plan) (*Facts, error) {
	f := &Facts{Major: major, Tables: map[string]*TableFacts{}}
	names, err := json.Marshal(relations(plans))
	if err != nil {
		return nil, err
	}
	arg := string(names)
	for _, part := range []struct {
		what, sql string
		take      func(r row)
	}{
		{"tables", tablesQuery, f.takeTable},
		{"columns", columnsQuery, f.takeColumn},
		{"extended statistics", extendedQuery(major), f.takeExtended},
		{"indexes", indexesQuery, f.takeIndex},
	} {
		rows, err := s.Query(ctx, part.sql, &arg)
		if err != nil {
			return nil, fmt.Errorf("reading %s of the plan: %w", part.what, err)
		}
		for _, r := range rows {
			part.take(r)
		}
	}
	return f, nil
}

// relations are the tables of plans, quoted, each once.
func relations(plans []*plan.Plan) []string {
	out := []string{}
	for _, p := range plans {
		p.Walk(func(n *plan.Node) {
			if n.Relation != "" && n.Schema != "" {
				out = append(out, quoted(n.Schema)+"."+quoted(n.Relation))
			}
		})
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// ofPlan are the classes that a query's parameter names.
const ofPlan = `(select distinct c.* from json_array_elements_text($1::json) n(name)
	join pg_catalog.pg_class c on c.oid = pg_catalog.to_regclass(n.name)) c`

const tablesQuery = `select s.nspname::text || '.' || c.relname, c.reltuples::text, c.relpages::text, c.relallvisible::text,
		coalesce(t.n_mod_since_analyze, 0)::text, coalesce(t.n_live_tup, 0)::text,
		coalesce(extract(epoch from now() - greatest(t.last_analyze, t.last_autoanalyze)), 0)::text,
		(t.last_analyze is null and t.last_autoanalyze is null)::text,
		(t.last_vacuum is not null or t.last_autovacuum is not null)::text,
		coalesce(t.n_tup_upd, 0)::text, coalesce(t.n_tup_hot_upd, 0)::text,
		(select coalesce(json_agg(pg_catalog.pg_get_partkeydef(a.relid)) filter (where a.relid <> c.oid or c.relkind = 'p'), '[]')::text
			from pg_catalog.pg_partition_ancestors(c.oid) a(relid)),
		coalesce((select rs.nspname::text || '.' || rc.relname from pg_catalog.pg_class rc join pg_catalog.pg_namespace rs on rs.oid = rc.relnamespace
			where rc.oid = pg_catalog.pg_partition_root(c.oid)), ''),
		(pg_catalog.pg_relation_size(c.oid) / 8192)::text
	from ` + ofPlan + ` join pg_catalog.pg_namespace s on s.oid = c.relnamespace
	left join pg_catalog.pg_stat_all_tables t on t.relid = c.oid`

func (f *Facts) takeTable(r row) {
	t := &TableFacts{
		Rows: r.number(1), Pages: r.number(2), Visible: r.number(3), Changed: r.number(4), Live: r.number(5), AnalyzedAgo: r.number(6),
		Never: r.text(7) == "true", Vacuumed: r.text(8) == "true", Updates: r.number(9), HOT: r.number(10),
		PartitionKeys: r.list(11), Root: r.text(12), PagesNow: r.number(13), Types: map[string]string{},
	}
	f.Tables[r.text(0)] = t
}

const columnsQuery = `select s.nspname::text || '.' || c.relname, pg_catalog.quote_ident(a.attname), pg_catalog.format_type(a.atttypid, null)
	from ` + ofPlan + ` join pg_catalog.pg_namespace s on s.oid = c.relnamespace
	join pg_catalog.pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped`

func (f *Facts) takeColumn(r row) {
	if t := f.Tables[r.text(0)]; t != nil {
		t.Types[r.text(1)] = r.text(2)
	}
}

// extendedQuery selects statistics objects; those on expressions came with 14. The
// view of their contents shows only what the role may read, so that a role that sees
// none of the table's is taken to see nothing.
func extendedQuery(major int) string {
	exprs, built := "'[]'", ""
	if major >= 14 {
		built = ` or exists (select from pg_catalog.pg_stats_ext_exprs v where v.statistics_schemaname = es.nspname and v.statistics_name = e.stxname
			and v.n_distinct is not null)`
		exprs = "coalesce(pg_catalog.array_to_json(pg_catalog.pg_get_statisticsobjdef_expressions(e.oid)), '[]')::text"
	}
	return `select s.nspname::text || '.' || c.relname, e.stxname::text,
		(select coalesce(json_agg(pg_catalog.quote_ident(a.attname)), '[]')::text from pg_catalog.pg_attribute a
			where a.attrelid = c.oid and a.attnum = any (e.stxkeys::int2[])), ` + exprs + `,
		(exists (select from pg_catalog.pg_stats_ext v where v.statistics_schemaname = es.nspname and v.statistics_name = e.stxname
			and (v.n_distinct is not null or v.dependencies is not null or v.most_common_vals is not null))` + built + `
		or not pg_catalog.has_table_privilege(c.oid, 'select') or not pg_catalog.pg_has_role(c.relowner, 'usage'))::text
	from ` + ofPlan + ` join pg_catalog.pg_namespace s on s.oid = c.relnamespace
	join pg_catalog.pg_statistic_ext e on e.stxrelid = c.oid join pg_catalog.pg_namespace es on es.oid = e.stxnamespace
	order by 1, 2`
}

func (f *Facts) takeExtended(r row) {
	if t := f.Tables[r.text(0)]; t != nil {
		t.Extended = append(t.Extended, ExtendedStatistics{Name: r.text(1), Columns: r.list(2), Expressions: r.list(3), Built: r.text(4) == "true"})
	}
}

const indexesQuery = `select s.nspname::text, c.relname::text, i.relname::text, am.amname::text, x.indisunique::text, x.indisvalid::text,
		coalesce(pg_catalog.pg_get_expr(x.indpred, x.indrelid), ''), i.relpages::text,
		(select json_agg(pg_catalog.pg_get_indexdef(i.oid, k, false) order by k) from generate_series(1, x.indnkeyatts) k)::text,
		(select coalesce(json_agg(pg_catalog.pg_get_indexdef(i.oid, k, false) order by k), '[]') from generate_series(x.indnkeyatts + 1, x.indnatts) k)::text
	from ` + ofPlan + ` join pg_catalog.pg_namespace s on s.oid = c.relnamespace
	join pg_catalog.pg_index x on x.indrelid = c.oid join pg_catalog.pg_class i on i.oid = x.indexrelid
	join pg_catalog.pg_am am on am.oid = i.relam order by 1, 2, 3`

func (f *Facts) takeIndex(r row) {
	x := IndexFacts{
		Schema: r.text(0), Table: r.text(1), Unique: r.text(4) == "true", Valid: r.text(5) == "true",
		Predicate: r.text(6), Pages: r.number(7), Include: r.list(9),
	}
	x.IndexDef = plan.IndexDef{Name: r.text(2), Method: r.text(3), Keys: r.list(8), Partial: x.Predicate != ""}
	f.Indexes = append(f.Indexes, x)
}

// row is a row of texts; NULL is "".
type row []*string

func (r row) text(i int) string {
	if r[i] == nil {
		return ""
	}
	return *r[i]
}

func (r row) number(i int) float64 {
	v, _ := strconv.ParseFloat(r.text(i), 64)
	return v
}

// list reads a JSON array of texts.
func (r row) list(i int) []string {
	var out []string
	_ = json.Unmarshal([]byte(r.text(i)), &out)
	return out
}

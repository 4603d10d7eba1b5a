package explain

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/planvet/planvet/catalog"
	"github.com/planvet/planvet/internal/predicate"
	"github.com/planvet/planvet/internal/shadow"
)

// trigramClass is the operator class of an extension that must be there.
const trigramClass = "gin_trgm_ops"

var identRE = regexp.MustCompile(`[a-z_][a-z0-9_]*`)

// freeName is the name that PostgreSQL would give an index: table, columns, idx, and
// a number where that name is taken.
func (p *prover) freeName(x *proposal, others []*proposal) string {
	var parts []string
	for _, ks := range [][]predicate.Key{x.need.Policy, x.need.Equality} {
		for _, k := range ks {
			parts = append(parts, keyLabel(k))
		}
	}
	for _, k := range x.need.Sort {
		parts = append(parts, keyLabel(k.Key))
	}
	if len(x.need.Range) > 0 && !slices.Contains(parts, keyLabel(x.need.Range[0])) {
		parts = append(parts, keyLabel(x.need.Range[0]))
	}
	name := defaultName(x.Relation.Name.Name, append(parts, x.need.Include...))
	free := name
	for i := 1; p.taken(x, free, others); i++ {
		free = fmt.Sprint(name, i)
	}
	return free
}

func (p *prover) taken(x *proposal, name string, others []*proposal) bool {
	return slices.ContainsFunc(others, func(o *proposal) bool { return o != x && o.name == name }) ||
		slices.ContainsFunc(p.s.cat.Relations(), func(r *catalog.Relation) bool {
			return r.Schema == x.Relation.Schema && (r.Name.Name == name || r.Index(name) != nil)
		})
}

func keyLabel(k predicate.Key) string {
	if k.Column != "" {
		return k.Column
	}
	if m := identRE.FindString(k.Expr); m != "" {
		return m
	}
	return "expr"
}

// defaultName is a name of at most 63 bytes, what is too long cut from the middle.
func defaultName(table string, parts []string) string {
	middle, const_ := strings.Join(parts, "_"), len("__idx")
	if room := 63 - const_ - len(table); len(middle) > room {
		middle = middle[:max(room, 0)]
	}
	if len(table) > 40 && len(table)+len(middle)+const_ > 63 {
		table = table[:40]
	}
	return table + "_" + middle + "_idx"
}

func quoteMaybe(name string) string {
	if identRE.FindString(name) == name {
		return name
	}
	return quoted(name)
}

// trigramSchema is where pg_trgm is; "" where it is not.
func (p *prover) trigramSchema() string {
	rows, err := p.s.session.Query(p.ctx, `select n.nspname::text from pg_catalog.pg_extension e join pg_catalog.pg_namespace n on n.oid = e.extnamespace where e.extname = 'pg_trgm'`)
	if err != nil || len(rows) == 0 {
		return ""
	}
	return *rows[0][0]
}

// buildable is a proposal for an empty twin, named by the server: with the extension
// that it needs.
func (p *prover) buildable(x *proposal) string {
	if strings.Contains(x.DDL, " "+trigramClass) {
		if schema := p.trigramSchema(); schema != "" && !slices.Contains(p.likeness.Schema.SearchPath, schema) {
			x.DDL = strings.ReplaceAll(x.DDL, " "+trigramClass, " "+quoteMaybe(schema)+"."+trigramClass)
		}
	}
	if ext := x.Extension(p.s.cat); ext != "" {
		return "create extension if not exists " + ext + "; " + x.DDL
	}
	return x.DDL
}

// indexRecommendation is a proposal as it is to be applied: without a lock that
// blocks writes, and with the way back.
func (p *prover) indexRecommendation(x *proposal, made shadow.Candidate) Recommendation {
	rel := x.Relation
	r := Recommendation{Kind: Index, Title: "an index on " + keysText(x)}
	if ext := x.Extension(p.s.cat); ext != "" {
		r.SQL = append(r.SQL, "create extension if not exists "+ext)
	}
	r.SQL = append(r.SQL, p.migration(x)...)
	name := qualified(rel.Schema, quoteMaybe(x.name))
	if rel.Kind == catalog.PartitionedTable {
		r.Undo = []string{"drop index " + name}
	} else {
		r.Undo = []string{"drop index concurrently " + name}
	}
	if x.Extends != nil && len(x.need.Include) == 0 {
		r.Replaces = []string{x.Extends.Name}
	}
	r.Cost = p.writeCost(rel, made.Pages)
	if len(r.Replaces) > 0 {
		r.Cost += fmt.Sprintf("; %s begins with the same keys and can go afterwards: drop index concurrently %s", x.Extends.Name, qualified(rel.Schema, quoteMaybe(x.Extends.Name)))
	}
	parts := []catalog.Name{}
	for _, c := range p.s.cat.Partitions(rel.Name) {
		parts = append(parts, c.Name)
	}
	r.Findings = p.s.findingsAt(rel.Name, parts, indexFaults...)
	return r
}

// indexFaults are the heuristics whose findings an index answers.
var indexFaults = []string{
	"selective-seq-scan", "nested-loop-seq-scan", "index-filter-residue", "index-leading-key-skipped", "bitmap-and", "lossy-bitmap",
	"sort-spill", "or-across-columns", "wrapped-column", "io-bound", "many-nested-loops", "subplan-per-row",
}

func keysText(x *proposal) string {
	_, keys, _ := strings.Cut(x.DDL, " on ")
	return keys
}

// qualified is an object's name, its schema left out where that is public.
func qualified(schema, name string) string {
	if schema == "public" {
		return name
	}
	return quoteMaybe(schema) + "." + name
}

// migration builds an index without blocking writes. On a partitioned table that goes
// partition by partition: the parent's is made ON ONLY it and stays invalid until
// each partition's own is attached.
func (p *prover) migration(x *proposal) []string {
	rel := x.Relation
	if rel.Kind != catalog.PartitionedTable {
		return []string{strings.Replace(x.DDL, "create index on ", "create index concurrently "+quoteMaybe(x.name)+" on ", 1)}
	}
	_, keys, _ := strings.Cut(x.DDL, " (") // what follows the table's name
	if method := x.need.Method; method != "" {
		_, keys, _ = strings.Cut(x.DDL, " using "+method+" (")
		keys = "using " + method + " (" + keys
	} else {
		keys = "(" + keys
	}
	var out []string
	var parts func(rel *catalog.Relation, name string)
	parts = func(rel *catalog.Relation, name string) {
		out = append(out, "create index "+quoteMaybe(name)+" on only "+qualified(rel.Schema, quoteMaybe(rel.Name.Name))+" "+keys)
		for _, c := range p.s.cat.Partitions(rel.Name) {
			own := defaultName(c.Name.Name, []string{strings.TrimSuffix(strings.TrimPrefix(name, rel.Name.Name+"_"), "_idx")})
			if c.Kind == catalog.PartitionedTable {
				parts(c, own)
			} else {
				out = append(out, "create index concurrently "+quoteMaybe(own)+" on "+qualified(c.Schema, quoteMaybe(c.Name.Name))+" "+keys)
			}
			out = append(out, "alter index "+qualified(rel.Schema, quoteMaybe(name))+" attach partition "+qualified(c.Schema, quoteMaybe(own)))
		}
	}
	parts(rel, x.name)
	return out
}

// writeCost says what an index costs: its size, and the writes that would maintain
// it, as far as the server counts them.
func (p *prover) writeCost(rel *catalog.Relation, pages int64) string {
	cost := "built without blocking writes"
	if pages > 0 {
		cost += fmt.Sprintf("; about %s", megabytes(pages))
	}
	table := quoted(rel.Schema) + "." + quoted(rel.Name.Name)
	rows, err := p.s.session.Query(p.ctx, `select sum(s.n_tup_ins)::text, sum(s.n_tup_upd - s.n_tup_hot_upd)::text, sum(s.n_tup_hot_upd)::text, sum(s.n_tup_del)::text,
			coalesce((select to_char(d.stats_reset, 'YYYY-MM-DD') from pg_catalog.pg_stat_database d where d.datname = current_database()), '')
		from pg_catalog.pg_stat_all_tables s where s.relid in (select t.relid from pg_catalog.pg_partition_tree(to_regclass($1)) t union select to_regclass($1))`,
		&table)
	if err != nil || len(rows) != 1 || rows[0][0] == nil {
		return cost + "; how much the table is written cannot be seen"
	}
	since := ""
	if *rows[0][4] != "" {
		since = " since " + *rows[0][4]
	}
	return cost + fmt.Sprintf("; each insert and each update that is not HOT maintains it: the server counted %s inserts, %s such updates (%s HOT) and %s deletes%s",
		*rows[0][0], *rows[0][1], *rows[0][2], *rows[0][3], since)
}

func megabytes(pages int64) string {
	if pages < 128 {
		return fmt.Sprintf("%d kB", pages*8)
	}
	return fmt.Sprintf("%d MB", (pages*8+512)/1024)
}

// unproven are the candidates that the statement has no access path without, where no
// planner could be asked: the widest of each relation.
func (p *prover) unproven(options []option, why string) ([]Recommendation, error) {
	var out []Recommendation
	seen := map[*catalog.Relation]bool{}
	for _, o := range options {
		if !o[0].missing || seen[o[0].Relation] || o[0].weight != 1 {
			continue
		}
		seen[o[0].Relation] = true
		for _, x := range o {
			x.name = p.freeName(x, o)
			r := p.indexRecommendation(x, shadow.Candidate{})
			r.Why = "not verified: " + why
			out = append(out, r)
		}
	}
	return out, nil
}

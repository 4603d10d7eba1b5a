package live

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// vetter looks at what a statement calls. Its queries run in the open transaction.
type vetter struct {
	s   *Session
	ctx context.Context
	o   VetOptions
	// seen are functions that were looked at, inside of others and not; rels are
	// relations.
	seen [2]map[uint32]bool
	rels map[uint32]bool
	// planning asks for what a planner runs alone: other doubts refuse nothing. depth
	// counts functions that are not volatile around what is looked at.
	planning bool
	depth    int
	warnings []string
}

// firstUser is the first OID of what initdb did not make.
const firstUser = 16384

// In a tree as the server prints it a call is a label and an OID.
var (
	treeFunctions = regexp.MustCompile(`:(?:funcid|opfuncid|aggfnoid|winfnoid|tsmhandler|negfuncid|hashfuncid)\s+(\d+)`)
	treeOperators = regexp.MustCompile(`:(?:opno|eqop|sortop)\s+(\d+)`)
	treeLists     = regexp.MustCompile(`:opnos\s+\(o((?:\s+\d+)+)\)`)
	treeRelations = regexp.MustCompile(`:(?:relid|resultrelid)\s+(\d+)`)
	treeCommands  = regexp.MustCompile(`:commandType\s+(\d+)`)
	treeTypes     = regexp.MustCompile(`:(?:\w*type|elementtype)\s+(\d+)`)
)

// selects is the command type of SELECT in a tree.
const selects = "1"

func newVetter(ctx context.Context, s *Session, o VetOptions) *vetter {
	return &vetter{s: s, ctx: ctx, o: o, seen: [2]map[uint32]bool{{}, {}}, rels: map[uint32]bool{}}
}

func (v *vetter) statement(tree string) error {
	writes := ""
	for _, m := range treeCommands.FindAllStringSubmatch(tree, -1) {
		if m[1] != selects {
			writes = "the statement writes"
		}
	}
	if writes == "" && strings.Contains(tree, ":hasForUpdate true") {
		writes = "the statement locks rows"
	}
	if writes != "" && !v.o.Writes {
		return &Refusal{Reason: writes, Flag: "--analyze-writes"}
	}
	if strings.Contains(tree, ":seqid") {
		v.warn("values taken from sequences stay taken after the rollback")
	}
	if err := v.tree(tree); err != nil {
		return err
	}
	if err := v.relations(oids(treeRelations, tree), writes != ""); err != nil {
		return err
	}
	if err := v.support(oids(treeTypes, tree)); err != nil {
		return err
	}
	return v.domains()
}

// tree looks at the functions that a tree calls.
func (v *vetter) tree(text string) error {
	if err := v.functions(oids(treeFunctions, text)); err != nil {
		return err
	}
	ops := oids(treeOperators, text)
	for _, m := range treeLists.FindAllStringSubmatch(text, -1) {
		for _, f := range strings.Fields(m[1]) {
			if n, err := strconv.ParseUint(f, 10, 32); err == nil {
				ops = append(ops, uint32(n))
			}
		}
	}
	return v.operators(ops)
}

// operators looks at the functions of operators, and of those that the planner may
// put in their place.
func (v *vetter) operators(ops []uint32) error {
	return v.calls(`select p::oid::text from pg_catalog.pg_operator o
		left join pg_catalog.pg_operator c on c.oid = o.oprcom left join pg_catalog.pg_operator n on n.oid = o.oprnegate,
		unnest(array[o.oprcode::oid, c.oprcode::oid, n.oprcode::oid]) p
		where o.oid = any ($1::oid[]) and p is not null and p <> 0`, ops)
}

// calls looks at the functions whose OIDs a query returns.
func (v *vetter) calls(sql string, of []uint32) error {
	if len(of) == 0 {
		return nil
	}
	rows, err := v.s.Query(v.ctx, sql, oidList(of))
	if err != nil {
		return err
	}
	return v.functions(firstOIDs(rows))
}

// trees looks at the trees that a query returns.
func (v *vetter) trees(sql string, of []uint32) error {
	rows, err := v.s.Query(v.ctx, sql, oidList(of))
	if err != nil {
		return err
	}
	for _, r := range rows {
		if r[0] == nil {
			continue
		}
		if err := v.tree(*r[0]); err != nil {
			return err
		}
	}
	return nil
}

// functions looks at each function once.
func (v *vetter) functions(ids []uint32) error {
	var fresh []uint32
	seen := v.seen[min(v.depth, 1)]
	for _, id := range ids {
		if id != 0 && !seen[id] {
			seen[id] = true
			fresh = append(fresh, id)
		}
	}
	if len(fresh) == 0 {
		return nil
	}
	body := "null"
	if v.s.Major() >= 14 {
		body = "p.prosqlbody::text"
	}
	rows, err := v.s.Query(v.ctx, `select p.oid::text, n.nspname::text, p.proname::text, p.provolatile::text, p.prokind::text, l.lanname::text,
		coalesce((select e.extname::text from pg_catalog.pg_depend d join pg_catalog.pg_extension e on e.oid = d.refobjid
			where d.classid = 'pg_catalog.pg_proc'::regclass and d.objid = p.oid and d.deptype = 'e'), ''),
		p.prosrc, `+body+`, p.proargdefaults::text
		from pg_catalog.pg_proc p join pg_catalog.pg_namespace n on n.oid = p.pronamespace
		join pg_catalog.pg_language l on l.oid = p.prolang where p.oid = any ($1::oid[]) order by p.oid`, oidList(fresh))
	if err != nil {
		return err
	}
	if len(rows) != len(fresh) {
		return &Refusal{Reason: "the server does not show which functions the statement calls"}
	}
	for _, r := range rows {
		f := function{schema: *r[1], name: *r[2], volatility: *r[3], kind: *r[4], language: *r[5], extension: *r[6], source: *r[7]}
		id, _ := strconv.ParseUint(*r[0], 10, 32)
		f.oid = uint32(id)
		if r[8] != nil {
			f.tree = *r[8]
		}
		if err := v.function(f); err != nil {
			return err
		}
		if r[9] != nil {
			if err := v.tree(*r[9]); err != nil {
				return err
			}
		}
	}
	return nil
}

// function is a function of the server.
type function struct {
	oid                                      uint32
	schema, name, volatility, kind, language string
	extension                                string
	source                                   string
	// tree is a body that the server has parsed.
	tree string
}

func (f *function) String() string {
	if f.schema == "pg_catalog" {
		return f.name
	}
	return f.schema + "." + f.name
}

// function decides on one.
func (v *vetter) function(f function) error {
	switch {
	case f.oid < firstUser && f.schema == "pg_catalog" || f.oid < firstUser && f.schema == "information_schema":
		if f.volatility != "v" && !runsText(f.name) || slices.Contains(harmless, f.name) || strings.HasPrefix(f.name, "RI_FKey_") {
			return nil
		}
		if f.name == "nextval" && (v.o.Writes || v.o.Own) {
			v.warn("values taken from sequences stay taken after the rollback")
			return nil
		}
		if v.o.Own && slices.Contains(ownOnly, f.name) {
			return nil
		}
		return v.refuse(&Refusal{
			Reason:   "the statement calls " + f.name + ", which is not on the list of functions without effects outside of the statement",
			Planning: v.depth > 0 && dangerousName.MatchString(f.name),
		})
	case v.allowed(f):
		return nil
	case f.kind == "a":
		return v.calls(`select f::text from pg_catalog.pg_aggregate a, unnest(array[a.aggtransfn::oid, a.aggfinalfn::oid, a.aggcombinefn::oid,
			a.aggserialfn::oid, a.aggdeserialfn::oid, a.aggmtransfn::oid, a.aggminvtransfn::oid, a.aggmfinalfn::oid]) f
			where a.aggfnoid = any ($1::oid[])`, []uint32{f.oid})
	case slices.Contains(harmlessExtensions, f.extension) && (f.volatility != "v" || slices.Contains(harmless, f.name)):
		return nil
	case v.o.Own:
		return nil
	case f.volatility == "v":
		return v.refuse(&Refusal{
			Reason: fmt.Sprintf("the statement calls %s, which is volatile: it may do anything", &f), Flag: "--allow-functions " + f.String(),
			Planning: v.depth > 0 && dangerousName.MatchString(f.source),
		})
	case f.language == "sql" || f.language == "plpgsql":
		return v.inside(f)
	}
	return v.refuse(&Refusal{Reason: fmt.Sprintf("the statement calls %s, whose code in %s cannot be looked into", &f, f.language), Flag: "--allow-functions " + f.String()})
}

// dangerousName is dangerous in Go's syntax.
var dangerousName = regexp.MustCompile("(?i)" + strings.ReplaceAll(dangerous, `\y`, `\b`))

// refuse is a refusal, or nil where it is of no matter to what was asked.
func (v *vetter) refuse(r *Refusal) error {
	if v.planning && !r.Planning {
		return nil
	}
	return r
}

func (v *vetter) allowed(f function) bool {
	return slices.Contains(v.o.Allow, f.name) || slices.Contains(v.o.Allow, f.schema+"."+f.name)
}

// inside looks into the body of a function that is not volatile. The server keeps
// such a function from writing; what it calls it does not look at.
func (v *vetter) inside(f function) error {
	refused := func(why error) error {
		var r *Refusal
		if errors.As(why, &r) {
			flag := r.Flag
			if flag == "" {
				flag = "--allow-functions " + f.String()
			}
			return &Refusal{Reason: strings.Replace(r.Reason, "the statement", f.String(), 1), Flag: flag, Planning: r.Planning}
		}
		return why
	}
	v.depth++
	defer func() { v.depth-- }()
	if f.tree != "" {
		if err := v.tree(f.tree); err != nil {
			return refused(err)
		}
		return refused(v.relations(oids(treeRelations, f.tree), false))
	}
	names, ok := bodyNames(f)
	if !ok {
		return v.refuse(&Refusal{
			Reason: fmt.Sprintf("the statement calls %s, whose body cannot be looked into", &f), Flag: "--allow-functions " + f.String(),
			Planning: dangerousName.MatchString(f.source),
		})
	}
	return refused(v.named(names))
}

func (v *vetter) warn(text string) {
	if !slices.Contains(v.warnings, text) {
		v.warnings = append(v.warnings, text)
	}
}

func oids(label *regexp.Regexp, tree string) []uint32 {
	var out []uint32
	for _, m := range label.FindAllStringSubmatch(tree, -1) {
		if n, err := strconv.ParseUint(m[1], 10, 32); err == nil && !slices.Contains(out, uint32(n)) {
			out = append(out, uint32(n))
		}
	}
	return out
}

func oidList(ids []uint32) *string {
	text := strings.NewReplacer("[", "{", "]", "}", " ", ",").Replace(fmt.Sprint(ids))
	return &text
}

func firstOIDs(rows [][]*string) []uint32 {
	var out []uint32
	for _, r := range rows {
		if r[0] == nil {
			continue
		}
		if n, err := strconv.ParseUint(*r[0], 10, 32); err == nil {
			out = append(out, uint32(n))
		}
	}
	return out
}

package live

import (
	"regexp"
	"slices"
	"strings"

	"github.com/planvet/planvet/internal/pgast"
)

// mentioned are the names in a body. What they mean there depends on a search_path
// that is not known, so each stands for all that it may mean; those in comments and
// texts count too.
type mentioned struct {
	// calls are schema, "" where none is written, and name of what is called.
	calls [][2]string
	words []string
	text  string
}

var (
	bodyCalls = regexp.MustCompile(`(?:([\pL_][\pL\pN_$]*|"[^"]+")\s*\.\s*)?([\pL_][\pL\pN_$]*|"[^"]+")\s*\(`)
	bodyWords = regexp.MustCompile(`[\pL_][\pL\pN_$]*|"[^"]+"`)
)

// bodyNames reads a body; ok is false where it is not all understood, does more than
// SELECT, or runs texts that it makes.
func bodyNames(f function) (m mentioned, ok bool) {
	if f.language == "plpgsql" {
		body, err := pgast.PLpgSQL(nil, f.source)
		if err != nil {
			return m, false
		}
		for _, s := range body.Stmts {
			if _, reads := s.Stmt.(*pgast.Select); s.Err != nil || s.Execute || !reads {
				return m, false
			}
		}
	} else {
		for _, p := range pgast.ParseFile(f.source) {
			if _, reads := p.Stmt.(*pgast.Select); p.Err != nil || !reads {
				return m, false
			}
		}
	}
	m.text = f.source
	for _, c := range bodyCalls.FindAllStringSubmatch(f.source, -1) {
		m.calls = append(m.calls, [2]string{folded(c[1]), folded(c[2])})
	}
	for _, w := range bodyWords.FindAllString(f.source, -1) {
		m.words = append(m.words, folded(w))
	}
	return m, f.language == "sql" || !slices.Contains(m.words, "execute")
}

// folded is a name as the server keeps it.
func folded(name string) string {
	if strings.HasPrefix(name, `"`) {
		return strings.Trim(name, `"`)
	}
	return strings.ToLower(name)
}

// named looks at all that the names of a body may mean.
func (v *vetter) named(m mentioned) error {
	var schemas, names []string
	for _, c := range m.calls {
		schemas, names = append(schemas, c[0]), append(names, c[1])
	}
	words := textList(m.words)
	for _, q := range []struct {
		sql  string
		args []*string
		look func([]uint32) error
	}{
		{`select p.oid::text from pg_catalog.pg_proc p join pg_catalog.pg_namespace n on n.oid = p.pronamespace
			join unnest($1::text[], $2::text[]) w(s, f) on w.f = p.proname and (w.s = '' or w.s = n.nspname)`,
			[]*string{textList(schemas), textList(names)}, v.functions},
		// A function of one row, or of anything, may be written as a field of it: t.f.
		{`select p.oid::text from pg_catalog.pg_proc p join pg_catalog.pg_type t on t.oid = p.proargtypes[0]
			where p.oid >= 16384 and p.pronargs = 1 and t.typtype in ('c', 'p') and p.proname = any ($1::text[])`,
			[]*string{words}, v.functions},
		{`select c.oid::text from pg_catalog.pg_class c where c.oid >= 16384 and c.relname = any ($1::text[])`, []*string{words}, v.stored},
		{`select o.oid::text from pg_catalog.pg_operator o where o.oid >= 16384 and position(o.oprname::text in $1) > 0`,
			[]*string{&m.text}, v.operators},
		// Assignments cast without a word of it.
		{`select castfunc::oid::text from pg_catalog.pg_cast where castfunc::oid >= 16384`, nil, v.functions},
	} {
		rows, err := v.s.Query(v.ctx, q.sql, q.args...)
		if err != nil {
			return err
		}
		if err := q.look(firstOIDs(rows)); err != nil {
			return err
		}
	}
	return nil
}

// textList is a text array's text.
func textList(items []string) *string {
	quoted := slices.Clone(items)
	for i, s := range quoted {
		quoted[i] = `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s) + `"`
	}
	text := "{" + strings.Join(quoted, ",") + "}"
	return &text
}

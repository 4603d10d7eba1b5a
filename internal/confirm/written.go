package confirm

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/planvet/planvet/catalog"
	"github.com/planvet/planvet/internal/pgast"
	"github.com/planvet/planvet/rules"
)

// written is a per-item statement and its set form, each returning the rows that it
// writes.
type written struct {
	one, set string
	// drawn are the columns that are not compared: they are drawn anew for each row.
	drawn []string
}

// comparedRows makes both forms return what they write: a count alone does not tell
// set n = (select max(n) + 1 …) apart, which is another number each time round the
// loop. It returns why rows cannot show that both write the same.
func (a *asker) comparedRows(p *rules.Probe) (w written, reason string) {
	list, stmts := "*", [2]pgast.Stmt{}
	for i, sql := range []string{p.SQL, p.SetSQL} {
		var err error
		if stmts[i], err = pgast.Parse(sql); err != nil {
			return w, "the statement does not parse: " + err.Error()
		}
	}
	if s, ok := stmts[0].(*pgast.Insert); ok {
		rel := a.cat.Relation(p.Schema, p.Table)
		if rel == nil || !rel.IsTable() {
			return w, "the statement inserts into no table of the catalog"
		}
		if reason = a.triggered(rel.Name); reason != "" {
			return w, reason
		}
		var kept []string
		if kept, w.drawn = comparable(rel, s); len(kept) == 0 {
			return w, "every column is drawn anew for each row"
		}
		list = strings.Join(kept, ", ")
	}
	w.one, w.set = returning(p.SQL, stmts[0], list), returning(p.SetSQL, stmts[1], list)
	return w, ""
}

// triggered is why triggers may do other things for a set than for each row: those
// of the statement run once, and those after it run when all rows are there.
func (a *asker) triggered(table catalog.Name) string {
	name := ident(table)
	rows, err := a.o.Server.Query(a.ctx, `select tgname::text from pg_trigger where tgrelid = to_regclass($1) and not tgisinternal and tgenabled <> 'D'
		and (tgtype & 20) <> 0 and (tgtype & 3) <> 3 order by 1`, &name)
	if err != nil {
		return "reading the triggers of " + table.Name + ": " + message(err)
	}
	if len(rows) > 0 {
		return fmt.Sprintf("the trigger %s runs once for the set, or after all of its rows; what it does with them decides", *rows[0][0])
	}
	return ""
}

// anew are calls that give another value each time.
var anew = regexp.MustCompile(`(?i)\b(nextval|gen_random_uuid|uuid_generate_v\d\w*|uuidv\d|random|clock_timestamp)\s*\(`)

// comparable parts the columns of an INSERT's table into those that it must give the
// same value each time and those that are drawn anew.
func comparable(rel *catalog.Relation, s *pgast.Insert) (kept, drawn []string) {
	for _, c := range rel.Columns {
		again := c.Identity != "" || anew.MatchString(c.Default)
		if i := slices.Index(s.Columns, c.Name); i >= 0 {
			again = s.Source != nil && len(s.Source.Values) == 1 && i < len(s.Source.Values[0]) && anew.MatchString(pgast.Format(s.Source.Values[0][i]))
		}
		if again {
			drawn = append(drawn, c.Name)
		} else {
			kept = append(kept, quote(s.Table.RefName())+"."+quote(c.Name))
		}
	}
	return kept, drawn
}

// returning makes a statement that writes return a list of what it wrote, where it
// returns nothing of its own or, an INSERT, in its place.
func returning(sql string, stmt pgast.Stmt, list string) string {
	alias, have := "", 0
	switch s := stmt.(type) {
	case *pgast.Insert:
		s.Returning = nil
		return pgast.Format(s) + " returning " + list
	case *pgast.Update:
		alias, have = s.Table.RefName(), len(s.Returning)
	case *pgast.Delete:
		alias, have = s.Table.RefName(), len(s.Returning)
	default:
		return sql
	}
	if have > 0 {
		return sql
	}
	// Not * alone: what is joined with is nothing that was written.
	return strings.TrimRight(strings.TrimSpace(sql), "; \t\n") + "\nreturning " + quote(alias) + ".*"
}

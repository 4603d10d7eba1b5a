package pgast

import (
	"fmt"
	"regexp"
	"strings"
)

// Denormalise makes the tree of a text that pg_stat_statements normalised one that a
// server takes, in place: it writes $n for each constant, also where PostgreSQL's grammar
// has no place for a parameter. What was changed is returned, in words; where that is
// nothing, the text is valid as it stands (a squashed list, in ($1 /*, ... */), is).
//
//  1. interval $1, date $1 and the like become $1::interval, $1::date;
//  2. extract($1 from x) becomes date_part($1, x);
//  3. $1 as json_data, PostgREST's body, becomes $1::json.
func Denormalise(tree Stmt, sql string) []string {
	var done []string
	Walk(tree, func(n Node) bool {
		switch n := n.(type) {
		case *Cast:
			p, ok := n.Arg.(*Param)
			if !ok || castWritten(sql, p.Number) {
				break
			}
			done = append(done, fmt.Sprintf("$%d written as %s", p.Number, Format(n)))
		case *FuncCall:
			if name := strings.Join(n.Name, "."); name != "pg_catalog.extract" || len(n.Args) != 2 {
				break
			}
			if p, ok := n.Args[0].(*Param); ok {
				n.Name = []string{"pg_catalog", "date_part"}
				done = append(done, fmt.Sprintf("extract($%d from …) written as date_part($%d, …)", p.Number, p.Number))
			}
		case *Select:
			for i, t := range n.Targets {
				if p, ok := t.Expr.(*Param); ok && t.Name == "json_data" {
					n.Targets[i].Expr = &Cast{At: p.At, Arg: p, Type: TypeName{Names: []string{"json"}}}
					done = append(done, fmt.Sprintf("$%d written as $%d::json", p.Number, p.Number))
					return false
				}
			}
		}
		return true
	})
	return done
}

// castWritten reports whether a text casts $n as the grammar allows it.
func castWritten(sql string, n int) bool {
	return regexp.MustCompile(fmt.Sprintf(`(?i)\$%d\s*\)*\s*::|cast\s*\(\s*\(*\s*\$%d\b`, n, n)).MatchString(sql)
}

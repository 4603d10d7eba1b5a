package migrationscan

import (
	"regexp"
	"strings"

	"github.com/planvet/planvet/catalog"
	"github.com/planvet/planvet/internal/pgast"
)

func (a *asker) call(x *pgast.FuncCall) any {
	name := x.Name[len(x.Name)-1]
	if name == "count" && a.count != nil {
		return *a.count
	}
	if len(x.Args) == 0 {
		if name == "current_schema" {
			return "public"
		}
		return unknown{}
	}
	var args []string
	for _, e := range x.Args {
		switch v := a.eval(e).(type) {
		case string:
			args = append(args, v)
		case int64:
			args = append(args, itoa(int(v)))
		case nil:
			if name == "to_regclass" || name == "to_regtype" {
				return nil
			}
			return unknown{}
		default:
			return unknown{}
		}
	}
	switch name {
	case "to_regclass":
		if id := a.r.relationID(args[0]); id != "" {
			return id
		}
		return nil
	case "to_regtype":
		if id := a.r.typeID(args[0]); id != "" {
			return id
		}
		return nil
	case "format":
		if s, ok := sqlFormat(args[0], args[1:]); ok {
			return s
		}
	case "quote_ident":
		return quoteIdent(args[0])
	case "quote_literal":
		return quoteLiteral(args[0])
	case "pg_get_constraintdef":
		return a.r.checkText(args[0])
	case "like_escape":
		if len(args) == 2 && args[1] == `\` {
			return args[0]
		}
	case "position", "strpos":
		if len(args) == 2 {
			return int64(strings.Index(args[0], args[1]) + 1)
		}
	case "starts_with":
		if len(args) == 2 {
			return strings.HasPrefix(args[0], args[1])
		}
	case "left", "right":
		if len(args) == 2 {
			return endOf(name, []rune(args[0]), atoi(args[1]))
		}
	case "concat":
		return strings.Join(args, "")
	case "lower":
		return strings.ToLower(args[0])
	case "upper":
		return strings.ToUpper(args[0])
	case "replace":
		if len(args) == 3 {
			return strings.ReplaceAll(args[0], args[1], args[2])
		}
	}
	return unknown{}
}

// endOf is left() and right(): n characters, or all but -n.
func endOf(side string, s []rune, n int) string {
	if n < 0 {
		n += len(s)
	}
	n = min(max(n, 0), len(s))
	if side == "right" {
		return string(s[len(s)-n:])
	}
	return string(s[:n])
}

var formatVerb = regexp.MustCompile(`%(?:(\d+)\$)?([sIL%])`)

// sqlFormat is PostgreSQL's format() with %s, %I, %L and positions.
func sqlFormat(f string, args []string) (string, bool) {
	next, ok := 0, true
	out := formatVerb.ReplaceAllStringFunc(f, func(v string) string {
		m := formatVerb.FindStringSubmatch(v)
		if m[2] == "%" {
			return "%"
		}
		i := next
		if m[1] != "" {
			i = atoi(m[1]) - 1
		}
		next = i + 1
		if i < 0 || i >= len(args) {
			ok = false
			return ""
		}
		switch m[2] {
		case "I":
			return quoteIdent(args[i])
		case "L":
			return quoteLiteral(args[i])
		}
		return args[i]
	})
	return out, ok
}

func quoteLiteral(s string) string { return "'" + strings.ReplaceAll(s, "'", "''") + "'" }

// checkText is the definition of a check, by its identifier; those of others are
// not written here.
func (r *replayer) checkText(id string) any {
	i := strings.LastIndexByte(id, '.')
	if i < 0 {
		return unknown{}
	}
	schema, name, _ := strings.Cut(id[:i], ".")
	if rel := r.cat.Relation(schema, name); rel != nil {
		if c := rel.Constraint(id[i+1:]); c != nil && c.Kind == catalog.Check {
			return "CHECK ((" + c.Expr + "))"
		}
	}
	return unknown{}
}

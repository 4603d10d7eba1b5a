package migrationscan

import (
	"regexp"
	"strings"

	"github.com/planvet/planvet/internal/pgast"
)

var ddlWord = regexp.MustCompile(`(?i)\b(?:create|alter|drop)\s`)

// do opens a DO block. What stands in a branch, a loop or a handler is applied
// where it can be, and is silent where it cannot: the branch guards against just
// that. An EXECUTE is followed when its text is a literal, or made by format() and
// || from literals and a loop over literals.
func (r *replayer) do(x *pgast.Do) error {
	if x.Language != "" && x.Language != "plpgsql" {
		return nil
	}
	if r.depth >= maxDepth {
		return fail("DO blocks are nested too deeply")
	}
	body, err := pgast.PLpgSQL(nil, x.Body)
	if err != nil {
		return fail("reading the body: %v", err)
	}
	base, inexact, quiet, current := r.base, r.inexact, r.quiet, r.current
	r.depth++
	defer func() {
		r.depth--
		r.base, r.inexact, r.quiet, r.current = base, inexact, quiet, current
	}()
	vars := loopValues(x.Body)
	for _, s := range body.Stmts {
		r.base, r.inexact = base, inexact
		if x.BodyPos >= 0 && s.Offset >= 0 && !inexact {
			r.base = base + x.BodyPos + s.Offset
		} else {
			r.inexact = true
		}
		r.quiet = quiet || s.Branch || s.Loop
		r.inner(s, vars)
	}
	return nil
}

// inner applies one statement of a DO block.
func (r *replayer) inner(s pgast.PLStmt, vars map[string][]string) {
	switch {
	case s.Execute && s.Dynamic:
		r.dynamic(s, vars)
	case s.Execute:
		r.inexact = true
		r.texts(s.Text)
	case s.Expr:
	case s.Err != nil:
		if !r.platform {
			r.res.Unparsed = append(r.res.Unparsed, r.problem(s.Err.Offset, s.Err.Msg))
		}
	case s.Stmt != nil:
		r.current = s.Text
		r.report(r.apply(s.Stmt))
	}
}

// texts applies the statements of an EXECUTE.
func (r *replayer) texts(sql string) {
	for _, p := range pgast.ParseFile(sql) {
		if p.Err != nil {
			if !r.platform && !r.quiet {
				r.res.Unparsed = append(r.res.Unparsed, r.problem(0, p.Err.Msg))
			}
			continue
		}
		r.current = p.Text
		r.report(r.apply(p.Stmt))
	}
}

// dynamic follows an EXECUTE whose text is put together.
func (r *replayer) dynamic(s pgast.PLStmt, vars map[string][]string) {
	text := strings.TrimSpace(s.Text)
	if len(text) > 7 && strings.EqualFold(text[:7], "select ") {
		text = text[7:]
	}
	e, err := pgast.ParseExpr(text)
	var out []string
	if err == nil {
		out = evalTexts(e, vars)
	}
	if out == nil {
		if ddlWord.MatchString(s.Text) && !r.platform {
			r.res.NotApplied = append(r.res.NotApplied, r.problem(0, "EXECUTE of a text that is known only at run time"))
		}
		return
	}
	r.inexact = true
	for _, sql := range out {
		r.texts(sql)
	}
}

var (
	foreachArray = regexp.MustCompile(`(?is)\bforeach\s+(\w+)\s+in\s+array\s+(?:array\s*\[([^\]]*)\]|(\w+))`)
	arrayVar     = regexp.MustCompile(`(?is)\b(\w+)\s+(?:constant\s+)?(?:text|varchar|name|regclass)\s*\[\s*\]\s*(?:not\s+null\s*)?(?::=|=|default)\s*array\s*\[([^\]]*)\]`)
	selectUnnest = regexp.MustCompile(`(?is)\bfor\s+(\w+)\s+in\s+select\s+(?:\w+\.?\w*\s+from\s+)?unnest\s*\(\s*array\s*\[([^\]]*)\]`)
	textVar      = regexp.MustCompile(`(?is)\b(\w+)\s+(?:constant\s+)?(?:text|varchar|name)\s*(?::=|default)\s*'((?:[^']|'')*)'\s*;`)
	literal      = regexp.MustCompile(`'((?:[^']|'')*)'`)
)

// loopValues finds the loops over literals in a body: the values of each variable.
func loopValues(body string) map[string][]string {
	out, arrays := map[string][]string{}, map[string][]string{}
	for _, m := range textVar.FindAllStringSubmatch(body, -1) {
		out[strings.ToLower(m[1])] = []string{strings.ReplaceAll(m[2], "''", "'")}
	}
	for _, m := range arrayVar.FindAllStringSubmatch(body, -1) {
		arrays[strings.ToLower(m[1])] = literals(m[2])
	}
	for _, m := range foreachArray.FindAllStringSubmatch(body, -1) {
		values := literals(m[2])
		if m[3] != "" {
			values = arrays[strings.ToLower(m[3])]
		}
		out[strings.ToLower(m[1])] = append(out[strings.ToLower(m[1])], values...)
	}
	for _, m := range selectUnnest.FindAllStringSubmatch(body, -1) {
		out[strings.ToLower(m[1])] = append(out[strings.ToLower(m[1])], literals(m[2])...)
	}
	return out
}

func literals(list string) []string {
	var out []string
	for _, m := range literal.FindAllStringSubmatch(list, -1) {
		out = append(out, strings.ReplaceAll(m[1], "''", "'"))
	}
	return out
}

// evalTexts computes a text for each value of the loop variable in it; nil where
// something else is unknown.
func evalTexts(e pgast.Expr, vars map[string][]string) []string {
	loop, count := "", 1
	ok := true
	pgast.Walk(e, func(n pgast.Node) bool {
		c, is := n.(*pgast.ColumnRef)
		if !is {
			return true
		}
		if len(c.Names) != 1 {
			ok = false
			return false
		}
		v := vars[c.Names[0]]
		switch {
		case len(v) == 0:
			ok = false
		case len(v) > 1 && loop != "" && loop != c.Names[0]:
			ok = false // two loops: their pairs are not known
		case len(v) > 1:
			loop, count = c.Names[0], len(v)
		}
		return true
	})
	if !ok {
		return nil
	}
	var out []string
	for i := range count {
		s, ok := evalText(e, func(name string) string {
			if name == loop {
				return vars[name][i]
			}
			return vars[name][0]
		})
		if !ok {
			return nil
		}
		out = append(out, s)
	}
	return out
}

// evalText computes a text from literals, ||, format(), quote_ident() and the like.
func evalText(e pgast.Expr, value func(string) string) (string, bool) {
	switch x := e.(type) {
	case *pgast.Const:
		return x.Text, x.Kind == pgast.ConstString || x.Kind == pgast.ConstInt
	case *pgast.ColumnRef:
		return value(x.Names[0]), true
	case *pgast.Cast:
		return evalText(x.Arg, value)
	case *pgast.Op:
		if x.Name != "||" || x.Left == nil {
			return "", false
		}
		a, ok1 := evalText(x.Left, value)
		b, ok2 := evalText(x.Right, value)
		return a + b, ok1 && ok2
	case *pgast.FuncCall:
		return evalCall(x, value)
	}
	return "", false
}

func evalCall(x *pgast.FuncCall, value func(string) string) (string, bool) {
	var args []string
	for _, a := range x.Args {
		s, ok := evalText(a, value)
		if !ok {
			return "", false
		}
		args = append(args, s)
	}
	if len(args) == 0 {
		return "", false
	}
	switch x.Name[len(x.Name)-1] {
	case "format":
		return sqlFormat(args[0], args[1:])
	case "quote_ident":
		return quoteIdent(args[0]), true
	case "quote_literal":
		return quoteLiteral(args[0]), true
	case "lower":
		return strings.ToLower(args[0]), true
	case "concat":
		return strings.Join(args, ""), true
	case "replace":
		if len(args) == 3 {
			return strings.ReplaceAll(args[0], args[1], args[2]), true
		}
	}
	return "", false
}

var formatVerb = regexp.MustCompile(`%(?:(\d+)\$)?(?:-?\d+)?([sIL%])`)

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

func atoi(s string) int {
	n := 0
	for _, c := range []byte(s) {
		if n < 1<<20 {
			n = n*10 + int(c-'0')
		}
	}
	return n
}

func quoteLiteral(s string) string { return "'" + strings.ReplaceAll(s, "'", "''") + "'" }

package embedsql

import (
	"go/ast"
	"go/token"
	"regexp"
	"slices"
	"strings"

	"github.com/planvet/planvet/analyzers/program"
	"github.com/planvet/planvet/internal/pgast"
	"github.com/planvet/planvet/rules"
	"github.com/planvet/planvet/sqllint"
)

// callPlace is the place of a call: of its method's name.
func (x *extraction) callPlace(site program.Site) rules.Location {
	pos := site.Call.Pos()
	if sel, ok := ast.Unparen(site.Call.Fun).(*ast.SelectorExpr); ok {
		pos = sel.Sel.Pos()
	}
	return x.place(site.In.Pkg, pos)
}

func (x *extraction) place(pkg *Package, pos token.Pos) rules.Location {
	p := pkg.Fset.PositionFor(pos, false)
	return rules.Location{Path: x.path(p.Filename), Line: p.Line, Column: p.Column}
}

// emit makes statements, or a script, of a text that holds no parameter.
func (x *extraction) emit(site program.Site, s *sink, t text) {
	if t.empty() {
		if s.sure || s.arg < 0 {
			x.unresolved(site, s, t.reason())
		}
		return
	}
	for _, r := range x.render(t, s) {
		if x.done[emitted{site.Call, r.text}] {
			return
		}
		x.done[emitted{site.Call, r.text}] = true
		x.texts[site.Call]++
		if p := x.named[r.text]; p != nil && p != site.Call {
			x.usesName[site.Call] = p
			continue
		}
		if !s.sure && !looksSQL(r.text) && !sessionStart.MatchString(r.text) {
			return
		}
		x.parsed(site, s, t, r)
	}
}

// empty reports whether nothing of a text is known.
func (t text) empty() bool {
	for _, p := range t.pieces {
		if p.kind == pieceText && strings.TrimSpace(p.text) != "" {
			return false
		}
	}
	return true
}

func (t text) reason() string {
	for _, p := range t.pieces {
		if p.kind == pieceHole && p.why != "" {
			return "the text is " + p.why
		}
	}
	return "the text is empty"
}

var sqlStart = regexp.MustCompile(`(?is)^(\s|--[^\n]*\n|/\*.*?\*/|\()*(select|insert|update|delete|with|merge|values|create|alter|drop|truncate|call|do|copy|explain|set|lock|refresh|grant|revoke|table)\b`)

// sessionStart begins what is SQL where it parses, and often a sentence.
var sessionStart = regexp.MustCompile(`(?i)^\s*(listen|prepare|declare|load)\s+\S`)

// copyIn is the end of a COPY whose table is not known.
var copyIn = regexp.MustCompile(`(?i)\bfrom\s+stdin\s*$`)

func looksSQL(s string) bool { return sqlStart.MatchString(s) }

var sqlcName = regexp.MustCompile(`(?m)^\s*-- name: *([\w-]+)`)

// parsed splits and parses a rendered text and keeps what it is.
func (x *extraction) parsed(site program.Site, s *sink, t text, r rendered) {
	pieces := pgast.ParseFile(r.text)
	schema := slices.ContainsFunc(pieces, func(p pgast.Parsed) bool { return definesSchema(p.Stmt) })
	if schema {
		x.noQuery[site.Call] = true
		x.addScript(site, r)
		return
	}
	at := x.callPlace(site)
	for _, p := range pieces {
		if p.Err != nil {
			if copyIn.MatchString(p.Text) {
				x.noQuery[site.Call] = true
			} else if looksSQL(p.Text) {
				x.failed = append(x.failed, failed{Unparsed{
					Location: r.locate(max(p.Err.Offset, p.Start), at), Call: s.call, Text: p.Text, Error: p.Err.Msg,
				}, site.Call, at, r.dynamic})
			} else if line := firstLine(p.Text); s.sure && line != "" {
				x.unresolved(site, s, "the text is no SQL: "+line)
			} else if s.sure {
				x.unresolved(site, s, p.Err.Msg)
			}
			continue
		}
		if role, ok := roleSet(p.Stmt); ok {
			x.setsRole[site.Call] = role
		}
		st := &sqllint.Statement{
			Text: p.Text, Stmt: p.Stmt, Fingerprint: pgast.Fingerprint(p.Stmt), Source: sqllint.FromGo,
			Location: at, Symbol: symbol(site.In), Call: s.call, ResolvedBy: resolvedBy(t.how, r.origin),
			InLoop: x.inLoop(site), Dynamic: r.dynamic, Segments: r.from(p.Start, p.End),
		}
		if len(pieces) == 1 {
			if m := sqlcName.FindStringSubmatch(r.text[:p.Start]); m != nil {
				st.Symbol = m[1]
				st.Generated = isGenerated(site.In.File)
			}
		}
		if !pgast.IsQuery(p.Stmt) {
			x.noQuery[site.Call] = true
			x.res.Commands = append(x.res.Commands, st)
			x.sites[st] = site
			continue
		}
		x.res.Statements = append(x.res.Statements, st)
		x.byCall[site.Call] = append(x.byCall[site.Call], st)
		x.sites[st] = site
	}
}

func (x *extraction) inLoop(site program.Site) bool {
	w := x.walks[site.In.Top()]
	return w != nil && w.loop[site.Call]
}

func isGenerated(f *ast.File) bool { return f != nil && ast.IsGenerated(f) }

func symbol(f *program.Func) string {
	if f.Name == "" {
		return f.Pkg.Path[strings.LastIndexByte(f.Pkg.Path, '/')+1:]
	}
	return f.Name
}

func firstLine(s string) string {
	s, _, _ = strings.Cut(strings.TrimSpace(s), "\n")
	if len(s) > 60 {
		s = s[:60] + "…"
	}
	return s
}

// resolvedBy names the way by which a text was found, the farthest first.
func resolvedBy(h how, pieces int) string {
	switch {
	case h&byDirective != 0:
		return "directive"
	case h&byWrapper != 0:
		return "wrapper"
	case h&byEmbed != 0:
		return "embed"
	case h&byBuilder != 0:
		return "builder"
	case h&byConcat != 0 && pieces > 1:
		return "concatenation"
	case h&byVariable != 0:
		return "variable"
	}
	return "constant"
}

// definesSchema reports whether a statement is DDL that outlives its session.
func definesSchema(s pgast.Stmt) bool {
	switch s := s.(type) {
	case *pgast.CreateTable:
		return !s.Temp
	case *pgast.CreateIndex, *pgast.AlterTable, *pgast.CreateView, *pgast.CreateFunction, *pgast.CreatePolicy,
		*pgast.AlterPolicy, *pgast.CreateType, *pgast.AlterEnum, *pgast.CreateDomain, *pgast.CreateTrigger,
		*pgast.Drop, *pgast.Rename, *pgast.CreateExtension, *pgast.CreateSchema, *pgast.CreateSequence:
		return true
	}
	return false
}

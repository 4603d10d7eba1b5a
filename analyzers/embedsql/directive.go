package embedsql

import (
	"go/constant"
	"go/types"
	"strings"

	"github.com/planvet/planvet/analyzers/program"
)

const directivePrefix = "//planvet:sql "

// directive is the text that a comment //planvet:sql gives the call below it, or on
// its line. Lines that follow each other are one text.
func (x *extraction) directive(site program.Site) (text, bool) {
	f := site.In.File
	if f == nil {
		return text{}, false
	}
	lines, ok := x.comments[f]
	if !ok {
		lines = map[int]string{}
		for _, g := range f.Comments {
			var parts []string
			last := 0
			for _, c := range g.List {
				if rest, ok := strings.CutPrefix(c.Text, directivePrefix); ok {
					parts = append(parts, rest)
					last = site.In.Pkg.Fset.PositionFor(c.End(), false).Line
				}
			}
			if len(parts) > 0 {
				lines[last] = strings.Join(parts, "\n")
			}
		}
		x.comments[f] = lines
	}
	if len(lines) == 0 {
		return text{}, false
	}
	first := x.statementLine(site)
	at := x.callPlace(site).Line
	for _, l := range []int{first - 1, first, at - 1, at} {
		if s, ok := lines[l]; ok {
			return text{pieces: []piece{{kind: pieceText, text: s}}, how: byDirective}, true
		}
	}
	return text{}, false
}

// statementLine is the line on which the call's expression begins.
func (x *extraction) statementLine(site program.Site) int {
	return site.In.Pkg.Fset.PositionFor(site.Call.Pos(), false).Line
}

func int64Of(tv types.TypeAndValue) (int64, bool) {
	v := constant.ToInt(tv.Value)
	if v.Kind() != constant.Int {
		return 0, false
	}
	return constant.Int64Val(v)
}

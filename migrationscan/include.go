package migrationscan

import (
	"path"
	"regexp"
	"strings"

	"github.com/planvet/planvet/internal/pgast"
)

// psqlInclude is psql's \i and \ir and their long forms.
var psqlInclude = regexp.MustCompile(`^\\i(?:r|nclude(?:_relative)?)?\s+'?([^'\s]+)`)

// listIncludes lists the files that a script takes in by psql's \i, unless they are
// scripts of the set by themselves: what they define is not known.
func (r *replayer) listIncludes(s *Script, set Set) {
	if !strings.Contains(s.Text, `\i`) {
		return
	}
	for _, p := range pgast.Split(s.Text) {
		if !p.Meta {
			continue
		}
		m := psqlInclude.FindStringSubmatch(s.Text[p.Start:p.End])
		if m == nil || set.has(path.Base(m[1])) {
			continue
		}
		r.base = p.Start
		r.res.NotApplied = append(r.res.NotApplied, r.problem(0, `psql's \i is not followed: what `+m[1]+" defines is not known"))
	}
}

func (s Set) has(base string) bool {
	for _, x := range s.Scripts {
		if path.Base(x.Path) == base {
			return true
		}
	}
	return false
}

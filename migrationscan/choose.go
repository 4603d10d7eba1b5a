package migrationscan

import (
	"cmp"
	"fmt"
	"path"
	"slices"
	"strings"
)

// choose takes one candidate a database:
//
//  1. Candidates are ordered: those that make tables, then by rank, then those that name PostgreSQL, then by the
//     number of tables, then by path.
//  2. One whose tables are mostly those of a taken one is a copy: it is skipped,
//     and where its rank is as good the choice is listed as ambiguous.
//  3. One with tables of its own and the marks of migrations is another database.
//  4. Anything else is skipped; the first of all is always taken.
//  5. A dump beside the taken folder whose tables the folder alters but does not
//     make is its base, and runs first; a folder below it that makes no table
//     goes on from it.
func choose(all []*candidate, d *Discovery) []*candidate {
	cands := slices.DeleteFunc(slices.Clone(all), func(c *candidate) bool { return !c.hasDDL() })
	slices.SortStableFunc(cands, func(a, b *candidate) int {
		return cmp.Or(
			boolOrder(a.onlyAlters(), b.onlyAlters()),
			-cmp.Compare(a.rank, b.rank),
			-boolOrder(namesPostgres(a.dir), namesPostgres(b.dir)),
			-cmp.Compare(len(a.tables), len(b.tables)),
			-cmp.Compare(len(a.files), len(b.files)),
			cmp.Compare(a.dir, b.dir),
		)
	})
	var taken []*candidate
	copies := map[*candidate][]*candidate{}
	for _, c := range cands {
		if of := copyOf(c, taken); of != nil {
			if isBase(c, of) {
				of.files = append(slices.Clone(c.files), of.files...)
				continue
			}
			d.Skipped = append(d.Skipped, Skipped{c.dir, copyReason(c, of)})
			if !identical(c, of) && (c.rank >= rankNumbered || of.rank == c.rank) {
				copies[of] = append(copies[of], c)
			}
			continue
		}
		if base := slices.IndexFunc(taken, func(t *candidate) bool { return isBase(c, t) }); base >= 0 {
			taken[base].files = append(slices.Clone(c.files), taken[base].files...)
			continue
		}
		if i := slices.IndexFunc(taken, func(t *candidate) bool { return goesOn(c, t) }); i >= 0 {
			taken[i].files = append(taken[i].files, c.files...)
			continue
		}
		switch {
		case len(taken) == 0, c.rank >= rankNumbered && len(c.tables) > 0:
			taken = append(taken, c)
		default:
			d.Skipped = append(d.Skipped, Skipped{c.dir, "no migration folder by its names; list it under databases in planvet.yaml to have it judged"})
		}
	}
	nameSets(taken, copies, d)
	return taken
}

// goesOn reports whether a folder below a taken one continues it.
func goesOn(c, of *candidate) bool {
	return len(c.tables) == 0 && path.Dir(c.dir) == of.dir && (c.format != "plain" || migDir.MatchString(path.Base(c.dir)))
}

// onlyAlters reports a folder that may go on from another: it makes no table, and
// no tool's marks say that it stands for itself.
func (c *candidate) onlyAlters() bool { return len(c.tables) == 0 && c.rank < rankTool }

func namesPostgres(dir string) bool { return ownDialect.MatchString(dir) }

// copyOf finds the taken candidate that describes the same tables: half of the
// smaller one's.
func copyOf(c *candidate, taken []*candidate) *candidate {
	for _, t := range taken {
		small, large := c.tables, t.tables
		if len(small) > len(large) {
			small, large = large, small
		}
		if len(small) == 0 {
			// A folder that only alters belongs to the one beside it.
			if path.Dir(c.dir) == path.Dir(t.dir) && c.rank < t.rank {
				return t
			}
			continue
		}
		n := 0
		for x := range small {
			if large[x] {
				n++
			}
		}
		if 2*n >= len(small) {
			return t
		}
	}
	return nil
}

func copyReason(c, of *candidate) string {
	if identical(c, of) {
		return "the same text as " + of.dir
	}
	return "describes tables of " + of.dir
}

func identical(a, b *candidate) bool {
	return slices.EqualFunc(a.files, b.files, func(x, y *file) bool { return x.text == y.text })
}

// isBase reports whether a dump beside a folder makes the tables that the folder
// takes for granted.
func isBase(c, of *candidate) bool {
	if c.format != "dump" || of.rank < rankNumbered || path.Dir(c.dir) != path.Dir(of.dir) && path.Dir(c.dir) != of.dir {
		return false
	}
	n := 0
	for t := range c.tables {
		if of.tables[t] {
			n++
		}
	}
	if 2*n >= len(c.tables) {
		return false
	}
	for _, f := range of.files {
		for _, m := range alteredTable.FindAllStringSubmatch(f.text, -1) {
			if t := tableKey(m[1]); c.tables[t] && !of.tables[t] {
				return true
			}
		}
	}
	return false
}

// nameSets names the databases and lists what was ambiguous.
func nameSets(taken []*candidate, copies map[*candidate][]*candidate, d *Discovery) {
	names := setNames(taken)
	for i, c := range taken {
		why := c.format
		if c.rank < rankNumbered {
			why = "the only DDL found, " + why
		}
		d.Sets = append(d.Sets, Set{Name: names[i], Dir: c.dir, Format: c.format, Chosen: why})
		var others []string
		for _, o := range copies[c] {
			others = append(others, o.dir)
		}
		if len(others) == 0 {
			continue
		}
		others = append(others, c.dir)
		slices.Sort(others)
		d.Ambiguous = append(d.Ambiguous, Ambiguity{
			Database: names[i], Candidates: others, Taken: c.dir, Config: configLine(names[i], c.dir),
		})
	}
}

func configLine(name, dir string) string {
	if name == "default" {
		return "migrations: " + dir
	}
	return fmt.Sprintf("databases: {%s: {migrations: %s}}", name, dir)
}

// setNames is "default" for the first where no other is as good; the others have
// the last folder that tells them apart.
func setNames(cs []*candidate) []string {
	names := make([]string, len(cs))
	used := map[string]bool{}
	for i, c := range cs {
		if i == 0 && (len(cs) == 1 || c.rank > cs[1].rank) {
			names[i] = "default"
			continue
		}
		p := strings.Split(strings.TrimSuffix(c.dir, ".sql"), "/")
		for len(p) > 1 && (migDir.MatchString(p[len(p)-1]) || schemaDir.MatchString(p[len(p)-1]) || p[len(p)-1] == "supabase" || anyNumber.MatchString(p[len(p)-1])) {
			p = p[:len(p)-1]
		}
		name := p[len(p)-1]
		if used[name] || name == "." || name == "" {
			name = strings.Trim(strings.ReplaceAll(c.dir, "/", "-"), "-.")
		}
		if name == "" {
			name = "default"
		}
		used[name] = true
		names[i] = name
	}
	return names
}

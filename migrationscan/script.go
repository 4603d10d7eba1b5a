package migrationscan

import (
	"cmp"
	"encoding/json"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strings"
)

// scripts turns a candidate's files into what is applied.
func (t *tree) scripts(c *candidate) []Script {
	files := c.files
	if c.format == "drizzle" {
		files = t.journalOrder(c)
	}
	files = preferDialect(files)
	var out []Script
	for _, f := range files {
		for _, inc := range includes(f.text) {
			p := path.Join(f.dir, inc)
			b, err := fs.ReadFile(t.fsys, p)
			if err != nil {
				t.d.Skipped = append(t.d.Skipped, Skipped{p, "included by " + f.path + ", but cannot be read"})
				continue
			}
			out = append(out, Script{Path: p, Text: untemplate(stripBOM(string(b)))})
		}
		text, noTx := upPart(stripBOM(f.text))
		if c.format == "graphile" {
			text = graphileText(text)
		}
		out = append(out, Script{Path: f.path, Text: untemplate(text), NoTransaction: noTx})
	}
	return out
}

// searchPath is the one that the tool's config sets, nil for none.
func (t *tree) searchPath(c *candidate) []string {
	if c.format == "graphile" {
		return graphileSearchPath(t.fsys, c.dir)
	}
	return nil
}

// stripBOM replaces a byte order mark by spaces, so that offsets stay.
func stripBOM(s string) string {
	if strings.HasPrefix(s, "\ufeff") {
		return "   " + s[3:]
	}
	return s
}

var dialectPart = regexp.MustCompile(`(?i)\.(?:postgres(?:ql)?|pg)\.`)

// preferDialect drops 0001_x.up.sql where 0001_x.postgres.up.sql exists.
func preferDialect(files []*file) []*file {
	own := map[string]bool{}
	for _, f := range files {
		if dialectPart.MatchString(f.base) {
			own[f.dir+"/"+dialectPart.ReplaceAllString(f.base, ".")] = true
		}
	}
	if len(own) == 0 {
		return files
	}
	return slices.DeleteFunc(slices.Clone(files), func(f *file) bool { return own[f.path] })
}

// journalOrder orders drizzle's files by meta/_journal.json; those that it does
// not name come last.
func (t *tree) journalOrder(c *candidate) []*file {
	b, err := fs.ReadFile(t.fsys, path.Join(c.dir, "meta/_journal.json"))
	var journal struct {
		Entries []struct {
			Idx int    `json:"idx"`
			Tag string `json:"tag"`
		} `json:"entries"`
	}
	if err != nil || json.Unmarshal(b, &journal) != nil {
		return c.files
	}
	order := map[string]int{}
	for _, e := range journal.Entries {
		order[e.Tag+".sql"] = e.Idx + 1
	}
	files := slices.Clone(c.files)
	slices.SortStableFunc(files, func(a, b *file) int {
		x, y := order[a.base], order[b.base]
		return cmp.Or(boolOrder(x == 0, y == 0), cmp.Compare(x, y))
	})
	return files
}

// globs compiles path globs; a pattern also matches what is below it.
func globs(patterns []string) func(string) bool {
	return func(p string) bool {
		for _, g := range patterns {
			g = strings.TrimSuffix(strings.TrimSuffix(strings.TrimPrefix(g, "./"), "/**"), "/")
			for q := p; q != "." && q != ""; q = path.Dir(q) {
				if ok, err := path.Match(g, q); err == nil && ok {
					return true
				}
				if rest, found := strings.CutPrefix(g, "**/"); found {
					if ok, err := path.Match(rest, path.Base(q)); err == nil && ok {
						return true
					}
				}
			}
		}
		return false
	}
}

package engine

import (
	"bytes"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/planvet/planvet/rules"
	"github.com/planvet/planvet/sqllint"
)

// pooling says how the project's connections are pooled; nil where nothing tells that
// it is by transaction.
//
//  1. What config's pooling says stands, whatever else there is.
//  2. A rule that is switched on by name, or by its group's, is asked for: it is declared.
//  3. Else a file may show it: a pool_mode of transaction, or a URL of such a pooler.
func (p *Project) pooling() *sqllint.Pooling {
	if !p.poolKnown {
		p.pool, p.poolKnown = p.findPooling(), true
	}
	return p.pool
}

func (p *Project) findPooling() *sqllint.Pooling {
	rule := sqllint.PoolSessionState
	if !p.enabled(rule.Name) {
		return nil
	}
	c := p.Config.Pooling
	out := &sqllint.Pooling{Direct: func(file string) bool {
		return slices.ContainsFunc(c.Direct, func(g string) bool { return matchGlob(strings.TrimPrefix(g, "./"), file) })
	}}
	if c.Prepared != nil {
		out.Prepared = map[bool]string{true: "yes", false: "no"}[*c.Prepared]
	}
	named := func(name string) bool { return slices.Contains(p.opts.Rules, name) || p.Config.Rules[name].On }
	switch {
	case c.Mode == "transaction", c.Mode == "" && (named(rule.Name) || named(rule.Group)):
		if out.Declared = true; out.Prepared == "" {
			_, _, out.Prepared = p.poolEvidence()
		}
		return out
	case c.Mode != "":
		return nil
	}
	at, says, prepared := p.poolEvidence()
	if at.Path == "" {
		return nil
	}
	out.Evidence, out.Says = at, says
	if out.Prepared == "" {
		out.Prepared = prepared
	}
	return out
}

// declaredPooling is what config says alone: what a file suggests is possible, and go vet
// reports what is certain.
func (p *Project) declaredPooling() *sqllint.Pooling {
	if c := p.Config.Pooling.Mode; c == "" && !p.Config.Rules[sqllint.PoolSessionState.Name].On && !p.Config.Rules[sqllint.PoolSessionState.Group].On {
		return nil
	}
	return p.pooling()
}

var (
	// poolMode is PgBouncer's setting in its ini, in the environment of its images, in
	// charts and in other poolers' files.
	poolMode = regexp.MustCompile(`(?i)\b\w*pool_?mode["']?\s*[:=]\s*["']?transaction\b`)
	// poolURL is Supavisor's port for transactions, and the parameter that Prisma and
	// others know PgBouncer by.
	poolURL = regexp.MustCompile(`(?i)\bpostgres(?:ql)?://[^\s"'` + "`" + `]*?(?::6543\b|[?&]pgbouncer=true)`)
	// prepared are statements that PgBouncer follows: more than none.
	preparedSome = regexp.MustCompile(`(?i)\bmax_prepared_statements["']?\s*[:=]\s*["']?[1-9]`)
	preparedNone = regexp.MustCompile(`(?i)\bmax_prepared_statements["']?\s*[:=]\s*["']?0\b`)
	commented    = regexp.MustCompile(`^\s*(#|;|//|--)`)
)

// image is that of a PgBouncer, with its version.
var image = regexp.MustCompile(`(?i)\bpgbouncer[\w./-]*:v?(\d+)\.(\d+)`)

// byVersion tells from the image's version whether PgBouncer follows named statements
// without being told to: from 1.24 on, and before 1.21 it cannot.
func byVersion(text []byte) string {
	m := image.FindSubmatch(text)
	if m == nil {
		return ""
	}
	major, _ := strconv.Atoi(string(m[1]))
	minor, _ := strconv.Atoi(string(m[2]))
	switch {
	case major > 1 || minor >= 24:
		return "yes"
	case minor < 21:
		return "no"
	}
	return ""
}

// maxEvidence is the size of a file up to which it is read for a pool's mode.
const maxEvidence = 256 << 10

// poolEvidence finds the first place, by path, that shows transaction pooling, and what
// is said of named statements.
func (p *Project) poolEvidence() (at rules.Location, says, prepared string) {
	_ = fs.WalkDir(p.fsys, ".", func(file string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return nil //nolint:nilerr // an unreadable folder shows nothing
		case d.IsDir():
			if file != "." && (p.skip(file) || poolSilent.MatchString(d.Name())) {
				return fs.SkipDir
			}
			return nil
		case !poolFile(d.Name()) || p.excluded(file):
			return nil
		}
		if st, err := d.Info(); err != nil || st.Size() > maxEvidence || !st.Mode().IsRegular() {
			return nil
		}
		text, err := fs.ReadFile(p.fsys, file)
		if err != nil {
			return nil //nolint:nilerr // likewise
		}
		line, found := evidence(file, text)
		if line > 0 && at.Path == "" {
			at, says = rules.Location{Path: file, Line: line}, found
		}
		if line > 0 && prepared == "" {
			switch {
			case preparedSome.Match(text):
				prepared = "yes"
			case preparedNone.Match(text):
				prepared = "no"
			default:
				prepared = byVersion(text)
			}
		}
		return nil
	})
	return at, says, prepared
}

// showsPool reports whether a file of the project shows transaction pooling. One that no
// longer does brings no finding.
func (p *Project) showsPool(file string) bool {
	if p.fsys == nil || p.Config.Pooling.Mode != "" || !poolFile(path.Base(file)) {
		return false
	}
	text, err := fs.ReadFile(p.fsys, file)
	if err != nil || len(text) > maxEvidence {
		return false
	}
	line, _ := evidence(file, text)
	return line > 0
}

// poolSilent are folders whose files say nothing of production.
var poolSilent = regexp.MustCompile(`(?i)^(tests?|testing|examples?|samples?|docs?|fixtures?|e2e.*|ci|\.github)$`)

func poolFile(name string) bool {
	name = strings.ToLower(name)
	switch path.Ext(name) {
	case ".ini", ".env", ".yaml", ".yml", ".toml", ".conf", ".cfg":
		return true
	}
	return strings.HasPrefix(name, ".env") || strings.HasPrefix(name, "env.")
}

func (p *Project) excluded(file string) bool {
	return slices.ContainsFunc(p.Config.Exclude, func(g string) bool { return matchGlob(g, file) })
}

// evidence is the first line of a file that shows transaction pooling, 0 for none.
func evidence(file string, text []byte) (line int, says string) {
	if !poolMode.Match(text) && !poolURL.Match(text) {
		return 0, ""
	}
	// Supabase's own file has the mode of a pooler that is off by default.
	supabase := path.Base(file) == "config.toml" && bytes.Contains(text, []byte("[db.pooler]"))
	section, on := "", false
	n := 0
	for l := range bytes.Lines(text) {
		n++
		s := strings.TrimSpace(string(l))
		if commented.MatchString(s) {
			continue
		}
		if strings.HasPrefix(s, "[") {
			section = s
		}
		if section == "[db.pooler]" && strings.HasPrefix(s, "enabled") && strings.HasSuffix(s, "true") {
			on = true
		}
		if m := poolMode.FindString(s); m != "" && (!supabase || section != "[db.pooler]" || on) {
			return n, strings.Join(strings.Fields(m), " ")
		}
		if m := poolURL.FindString(s); m != "" {
			return n, "a URL with " + m[strings.LastIndexAny(m, ":?&")+1:]
		}
	}
	return 0, ""
}

// collectCommands gives the commands of query files and Go code to the first database:
// they name no table that would tell another's.
func (p *Project) collectCommands() {
	list := slices.Clone(p.orders)
	if p.code != nil {
		for _, c := range p.code.commands {
			if !c.Generated { // its query file has it
				list = append(list, c)
			}
		}
	}
	db := p.Databases[0]
	db.Commands = append(db.Commands, slices.DeleteFunc(list, runsOnce)...)
	for _, db := range p.Databases {
		slices.SortStableFunc(db.Commands, func(a, b *sqllint.Statement) int { return compareLocations(a.Location, b.Location) })
	}
}

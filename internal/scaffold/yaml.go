package scaffold

import (
	"cmp"
	"encoding/json"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/planvet/planvet/internal/config"
	"github.com/planvet/planvet/internal/report"
	"github.com/planvet/planvet/rules/all"
)

// section explains one key, or keys that belong together.
type section struct {
	keys []string
	text func(y *yaml, f *Facts)
}

// sections are the keys in the order in which people need them. A key of the schema that
// is not among them is written with the schema's own words.
var sections = []section{
	{[]string{"version"}, func(y *yaml, _ *Facts) { y.set("version: 1") }},
	{[]string{"migrations", "databases"}, databasesSection},
	{[]string{"postgres"}, func(y *yaml, f *Facts) {
		if f.Postgres != 0 {
			y.say("The major version of PostgreSQL in production, as %s has it.", f.PostgresFrom)
			y.set("postgres: %d", f.Postgres)
			return
		}
		y.say("The major version of PostgreSQL in production: 13 to 18, the oldest by default.")
		y.example("postgres: 17")
	}},
	{[]string{"tables", "statistics"}, func(y *yaml, f *Facts) {
		y.say("Sizes. A table has 100,000 rows and one that only migrations fill 100, unless it stands here or in a")
		y.say("file of production's own statistics, which holds no values: planvet stats dump -o planvet.stats.json")
		y.example("tables:")
		y.example("  %s: {rows: 50000000}", quoted(cmp.Or(f.Large, "events")))
		if f.Small != "" {
			y.example("  %s: {rows: 250}", quoted(f.Small))
		}
		y.example("statistics: planvet.stats.json")
	}},
	{[]string{"rules"}, rulesSection},
	{[]string{"fail_on"}, func(y *yaml, _ *Facts) {
		y.say("The least severity that makes planvet check exit with 1: error, warning, info or never.")
		y.example("fail_on: warning")
	}},
	{[]string{"exclude", "queries", "go"}, func(y *yaml, f *Facts) {
		y.say("Paths that are not read (vendor, node_modules and testdata never are), files of queries beside those that")
		y.say("sqlc and \"-- name:\" headers show, and packages of Go.")
		y.example("exclude: [\"internal/legacy/**\"]")
		y.example("queries: [\"reports/*.sql\"]")
		y.example("go: [./...]")
	}},
	{[]string{"roles", "claims", "settings", "search_path"}, func(y *yaml, f *Facts) {
		switch {
		case f.Policies > 0:
			y.say("%s were found. Code whose role is not known is judged as the owner's, who bypasses them: say as whom",
				report.Plural(f.Policies, "policy"))
			y.say("it runs, by folder of Go or SQL, and what its sessions have set.")
		default:
			y.say("As whom statements run, by folder of Go or SQL, and what their sessions have set: for policies.")
		}
		y.example("roles:")
		y.example("  internal/web: %s", role(f))
		y.example("claims: {sub: 5f0c1d1e-7f0a-4c57-9d7c-6a2f6f6f0a11}")
		y.example("settings: {app.tenant: \"42\"}")
		y.example("search_path: [public]")
	}},
	{[]string{"confirm"}, func(y *yaml, _ *Facts) {
		y.say("How many rows planvet check --confirm shadow makes in a table at most.")
		y.example("confirm: {rows: 100000}")
	}},
	{[]string{"spec_refs"}, func(y *yaml, _ *Facts) {
		y.say("References of your own, by rule: they stand beside its findings.")
		y.example("spec_refs: {%s: NFR-12}", all.Names()[len(all.Names())-1])
	}},
}

func role(f *Facts) string {
	if f.Supabase {
		return "authenticated"
	}
	return "app_user"
}

// Config is the text of planvet.yaml. What differs from planvet's defaults is set; a line
// that begins with "#" and no space, or with two, is a setting that can be switched on by
// taking the "#" away; "# " begins a comment.
func Config(f *Facts) string {
	y := &yaml{}
	y.say("yaml-language-server: $schema=%s", schemaFrom(f))
	y.say("What planvet cannot know from the code, written by planvet init and yours from here on. Every key but version")
	y.say("can go: what follows \"#\" without a space shows what is taken without it, or an example.")
	y.say("All keys: https://github.com/planvet/planvet/blob/main/docs/configuration.md")
	known := map[string]bool{}
	for _, s := range sections {
		s.text(y, f)
		y.gap()
		for _, k := range s.keys {
			known[k] = true
		}
	}
	for _, k := range schemaKeys() {
		if !known[k.name] {
			y.say("%s: %s", k.name, k.description)
			y.gap()
		}
	}
	return strings.TrimRight(y.b.String(), "\n") + "\n"
}

// schemaFrom is the schema's path from the config.
func schemaFrom(f *Facts) string {
	if path.Dir(configPath(f)) == "." {
		return schemaPath
	}
	return path.Join(strings.Repeat("../", strings.Count(configPath(f), "/")), schemaPath)
}

func databasesSection(y *yaml, f *Facts) {
	switch {
	case len(f.Databases) == 0:
		if f.Go {
			y.say("No migrations were found in files; DDL in Go code is read without being told.")
		} else {
			y.say("No migrations were found.")
		}
		y.say("Where they, or a dump of the schema, are:")
		y.example("migrations: db/migrations")
		return
	case len(f.Chosen) > 0:
		y.say("Several folders describe the same tables, and one of them was taken:")
		for _, c := range f.Chosen {
			y.say("- of %s", strings.Join(c.Candidates, ", "))
		}
		f.named(y.set)
		return
	}
	y.say("Found without being told:")
	for _, d := range f.Databases {
		y.say("- %s: %s", d.Name, d)
	}
	f.named(y.example)
}

// named writes the databases as the config names them.
func (f *Facts) named(line func(format string, args ...any)) {
	if len(f.Databases) == 1 && f.Databases[0].Name == "default" {
		line("migrations: %s", quoted(f.Databases[0].Dir))
		return
	}
	line("databases:")
	for _, d := range f.Databases {
		line("  %s: {migrations: %s}", quoted(d.Name), quoted(d.Dir))
	}
}

func rulesSection(y *yaml, _ *Facts) {
	y.say("Rules, one by one or a group at once: off, on, or a severity of your own: error, warning, info.")
	y.say("planvet rules show NAME prints a rule's page.")
	y.example("rules:")
	wide := 0
	for _, r := range all.All() {
		wide = max(wide, len(r.Name))
	}
	line := func(name, value, what string) {
		y.example("  %s %s # %s", report.Pad(name+":", wide+1), report.Pad(value, 7), what)
	}
	for _, g := range all.Groups() {
		line(g.Name, "on", "the group of "+g.Summary)
		for _, r := range all.All() {
			if r.Group != g.Name {
				continue
			}
			value := string(r.Severity)
			if r.Off {
				value = "off"
			}
			line(r.Name, value, r.Summary)
		}
	}
}

// quoted is a text as YAML takes it for one.
func quoted(s string) string {
	if strings.ContainsAny(s, ":#{}[],&*?|<>=!%@`'\"\\ ") || s == "" || s == "." || strings.HasPrefix(s, "-") {
		return fmt.Sprintf("%q", s)
	}
	return s
}

// yaml writes a config.
type yaml struct{ b strings.Builder }

func (y *yaml) say(format string, args ...any)     { fmt.Fprintf(&y.b, "# "+format+"\n", args...) }
func (y *yaml) set(format string, args ...any)     { fmt.Fprintf(&y.b, format+"\n", args...) }
func (y *yaml) example(format string, args ...any) { fmt.Fprintf(&y.b, "#"+format+"\n", args...) }
func (y *yaml) gap()                               { y.b.WriteByte('\n') }

type schemaKey struct{ name, description string }

// schemaKeys are the keys that the config's schema has, sorted.
func schemaKeys() (out []schemaKey) {
	var doc struct {
		Properties map[string]struct{ Description string }
	}
	if err := json.Unmarshal(config.Schema, &doc); err != nil {
		panic(err) // it is embedded
	}
	for name, p := range doc.Properties {
		out = append(out, schemaKey{name, cmp.Or(p.Description, "see the schema")})
	}
	slices.SortFunc(out, func(a, b schemaKey) int { return cmp.Compare(a.name, b.name) })
	return out
}

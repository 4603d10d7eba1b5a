package scaffold

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	goyaml "github.com/goccy/go-yaml"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/planvet/planvet/internal/bench/baseline"
	"github.com/planvet/planvet/internal/bench/slo"
	"github.com/planvet/planvet/internal/casetest"
	"github.com/planvet/planvet/internal/config"
	"github.com/planvet/planvet/internal/integration"
	"github.com/planvet/planvet/internal/report"
	"github.com/planvet/planvet/migrationscan"
	"github.com/planvet/planvet/rules/all"
)

// projects are the facts of several kinds of repositories.
var projects = map[string]*Facts{
	"empty": {},
	"supabase": {
		Databases: []Database{{"default", "supabase/migrations", "supabase", 17}}, Tables: 8, Policies: 20, Supabase: true,
		Postgres: 15, PostgresFrom: "supabase/config.toml", Large: "visits", Small: "tiers",
	},
	"two databases": {
		Databases: []Database{{"app", "db/app", "goose", 3}, {"audit: log", "db/audit log", "dump", 1}}, Go: true, Large: "order-lines",
	},
	"chosen": {
		Databases: []Database{{"default", "migrations", "goose", 3}},
		Chosen:    []migrationscan.Ambiguity{{Database: "default", Candidates: []string{"migrations", "sql/schema"}, Taken: "migrations", Config: "migrations: migrations"}},
	},
	"two chosen": {
		Databases: []Database{{"app", "db/app", "goose", 3}, {"audit", "db/audit", "goose", 1}},
		Chosen:    []migrationscan.Ambiguity{{Database: "app", Candidates: []string{"db/app", "sql/app"}, Taken: "db/app"}},
	},
}

// disabled is a setting that is written as a comment: "#" without a space, or with two.
var disabled = regexp.MustCompile(`(?m)^#(\S|  )`)

// Each config parses as it is and with all of its examples switched on, by the reader and
// by the schema that editors get, and mentions every key that there is.
func TestConfig(t *testing.T) {
	schema := compiled(t)
	for name, f := range projects {
		text := Config(f)
		on := disabled.ReplaceAllString(text, "$1")
		for kind, text := range map[string]string{"as written": text, "all switched on": on} {
			c, err := config.Parse("planvet.yaml", []byte(text))
			if err == nil {
				err = c.CheckRules(all.Names(), all.GroupNames())
			}
			if err != nil {
				t.Errorf("%s, %s: %v\n%s", name, kind, err, text)
				continue
			}
			if err := schema.Validate(instance(t, text)); err != nil {
				t.Errorf("%s, %s: the schema says %v", name, kind, err)
			}
		}
		for _, k := range schemaKeys() {
			// Either migrations or databases stands: they exclude each other.
			if k.name != "migrations" && k.name != "databases" && !regexp.MustCompile(`(?m)^#?(# )?`+k.name+`:`).MatchString(text) {
				t.Errorf("%s: no word on %s", name, k.name)
			}
		}
		for _, r := range slices.Concat(all.Names(), all.GroupNames()[1:]) {
			if !strings.Contains(text, "#  "+r+":") {
				t.Errorf("%s: no word on the rule %s", name, r)
			}
		}
	}
}

// Only what differs from the defaults is set.
func TestConfigSets(t *testing.T) {
	for name, want := range map[string]string{
		"empty":         "version: 1\n",
		"supabase":      "version: 1\npostgres: 15\n",
		"two databases": "version: 1\n",
		"chosen":        "version: 1\nmigrations: migrations\n",
		"two chosen":    "version: 1\ndatabases:\n  app: {migrations: db/app}\n  audit: {migrations: db/audit}\n",
	} {
		got := regexp.MustCompile(`(?m)^(#.*)?\n`).ReplaceAllString(Config(projects[name]), "")
		if got != want {
			t.Errorf("%s sets\n%swant\n%s", name, got, want)
		}
	}
}

func compiled(t *testing.T) *jsonschema.Schema {
	t.Helper()
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(Schema()))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("planvet.schema.json", doc); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile("planvet.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func instance(t *testing.T, text string) any {
	t.Helper()
	var v any
	err := goyaml.Unmarshal([]byte(text), &v)
	var js []byte
	if err == nil {
		js, err = json.Marshal(v)
	}
	if err == nil {
		v, err = jsonschema.UnmarshalJSON(bytes.NewReader(js))
	}
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// The schema that editors get knows the rules, where the reader's own leaves them open.
func TestSchemaKnowsRules(t *testing.T) {
	schema := compiled(t)
	for text, ok := range map[string]bool{
		"version: 1\nrules: {nplusone: error}\n":               true,
		"version: 1\nrules: {all: off, loops: on}\n":           true,
		"version: 1\nrules: {nplusone: {severity: info}}\n":    true,
		"version: 1\nrules: {nplus1: error}\n":                 false,
		"version: 1\nrules: {nplusone: fatal}\n":               false,
		"version: 1\nrules: {unindexed-where: {sev: error}}\n": false,
	} {
		if err := schema.Validate(instance(t, text)); (err == nil) != ok {
			t.Errorf("%q: %v", text, err)
		}
	}
}

// Every rule has its chapter in one of the documents, with its examples; every tier and
// every box is there.
func TestReferences(t *testing.T) {
	refs, err := references()
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	text := map[string]string{}
	for _, f := range refs {
		name := filepath.Base(f.Path)
		names, text[name] = append(names, name), f.Text
		if !intact(f.Text) {
			t.Errorf("%s is not sealed", name)
		}
	}
	if want := []string{"slo-definitions.md", "query-patterns.md", "rls-performance.md", "pr-checklist.md"}; !slices.Equal(names, want) {
		t.Errorf("documents %v, want %v", names, want)
	}
	for _, r := range all.All() {
		in := 0
		for _, name := range names {
			in += strings.Count(text[name], "\n## "+r.Name+"\n")
		}
		if in != 1 {
			t.Errorf("%s has %d chapters, want one", r.Name, in)
		}
		for _, half := range []string{"Bad", "Good"} {
			for _, b := range all.Blocks(all.Section(r.Page, half)) {
				if !strings.Contains(text["query-patterns.md"]+text["rls-performance.md"]+text["pr-checklist.md"], b.Text) {
					t.Errorf("%s: an example under %s is in no document", r.Name, half)
				}
			}
		}
	}
	for _, tier := range slo.Tiers {
		if !strings.Contains(text["slo-definitions.md"], "\n| "+tier.Name+" | ") {
			t.Errorf("slo-definitions.md has no row for %s", tier.Name)
		}
	}
	boxes := report.Boxes(all.Names())
	if len(boxes) != 7 {
		t.Errorf("%d boxes, and the text of pr-checklist.md explains 7", len(boxes))
	}
	for i, b := range boxes {
		if !strings.Contains(text["pr-checklist.md"], "\n| "+b.Title+" | ") {
			t.Errorf("pr-checklist.md has no row for box %d, %s", i+1, b.Title)
		}
	}
	links(t, text)
}

// links follows each link between the documents to its heading.
func links(t *testing.T, text map[string]string) {
	t.Helper()
	followed := 0
	for name, body := range text {
		for _, m := range regexp.MustCompile(`\]\(([\w-]+\.md)?(?:#([\w-]+))?\)`).FindAllStringSubmatch(body, -1) {
			to := m[1]
			if to == "" {
				to = name
			}
			followed++
			if text[to] == "" || m[2] != "" && !strings.Contains(text[to], "\n## "+m[2]+"\n") {
				t.Errorf("%s links to %s#%s, which is not there", name, to, m[2])
			}
		}
	}
	if followed < len(all.All()) {
		t.Errorf("%d links, fewer than rules", followed)
	}
}

// The files under .perf are read by those that they are for.
func TestPerfFiles(t *testing.T) {
	files, err := perfFiles()
	if err != nil {
		t.Fatal(err)
	}
	text := map[string]string{}
	for _, f := range files {
		text[f.Path] = f.Text
	}
	objectives, err := slo.Read(strings.NewReader(text[".perf/slos-template.json"]))
	if err != nil {
		t.Fatal(err)
	}
	for _, tier := range slo.Tiers {
		if !slices.ContainsFunc(objectives, func(o slo.Objective) bool { return o.Tier == tier.Name && o.P95Target == tier.P95 }) {
			t.Errorf("the template has no objective of the tier %s", tier.Name)
		}
	}
	for _, kind := range slo.Types {
		if !slices.ContainsFunc(objectives, func(o slo.Objective) bool { return o.Type == kind }) {
			t.Errorf("the template has no objective of the type %s", kind)
		}
	}
	if !slices.ContainsFunc(objectives, func(o slo.Objective) bool { return o.Metric != "" && o.Alert > 0 && o.SpecRef != "" }) {
		t.Error("the template has no objective with a metric, an alert and a reference")
	}
	if _, err := slo.Read(strings.NewReader(text[".perf/slos.json"])); !errors.Is(err, slo.ErrNone) {
		t.Errorf("slos.json: %v, want that it promises nothing", err)
	}
	stored, err := baseline.Read(strings.NewReader(text[".perf/baseline.json"]))
	if err != nil || len(stored.Runs) != 0 {
		t.Errorf("baseline.json: %+v, %v", stored, err)
	}
}

func TestFiles(t *testing.T) {
	paths := func(f *Facts, o Options) (out []string) {
		files, err := Files(f, o)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range files {
			out = append(out, f.Path)
		}
		return out
	}
	base := paths(&Facts{}, Options{})
	if len(base) != 9 {
		t.Errorf("without any tool there are %v", base)
	}
	tools := []Tool{{Name: "pre-commit", File: ".pre-commit-config.yaml"}, {Name: "lefthook", File: ".lefthook.yaml"}, {Name: "github", File: ".github"}, {Name: "gitlab", File: ".gitlab-ci.yml"}}
	all := paths(&Facts{Tools: tools}, Options{})
	if want := []string{".pre-commit-config.yaml", ".lefthook.yaml", ".github/workflows/planvet.yml", ".gitlab-ci.yml"}; !slices.Equal(all[len(base):], want) {
		t.Errorf("with every tool there are %v beside the base, want %v", all[len(base):], want)
	}
	if got := paths(&Facts{Tools: tools}, Options{Without: Parts}); len(got) != 0 {
		t.Errorf("without every part there are %v", got)
	}
	if got, want := paths(&Facts{}, Options{Without: []string{"config", "perf", "references"}, With: []string{"golangci-lint", "gitlab"}}), []string{".golangci.yml", ".gitlab-ci.yml"}; !slices.Equal(got, want) {
		t.Errorf("what is asked for gives %v, want %v", got, want)
	}
	if _, err := Files(&Facts{}, Options{With: []string{"lefthok"}}); err == nil || !strings.Contains(err.Error(), "lefthook") {
		t.Errorf("an unknown program gives %v", err)
	}
}

// A project in a folder of its repository has its hooks and CI at the repository's top,
// where they name the folder; and what they fetch is the release that wrote them.
func TestFilesOfAFolder(t *testing.T) {
	f := &Facts{
		Root: filepath.FromSlash("/r/services/api"), Repository: filepath.FromSlash("/r"), Branch: "trunk",
		Tools: []Tool{{Name: "pre-commit", File: ".pre-commit-config.yaml"}, {Name: "github", File: ".github"}},
	}
	files, err := Files(f, Options{Without: []string{"config", "perf", "references"}, Release: "v1.2.3"})
	if err != nil || len(files) != 2 {
		t.Fatalf("%v, %v", files, err)
	}
	for i, want := range []string{"../../.pre-commit-config.yaml", "../../.github/workflows/planvet.yml"} {
		if files[i].Path != want || !strings.Contains(files[i].Text, "services/api") || !strings.Contains(files[i].Text, "v1.2.3") {
			t.Errorf("%s, want %s:\n%s", files[i].Path, want, files[i].Text)
		}
	}
	if !strings.Contains(files[1].Text, "branches: [trunk]") {
		t.Errorf("the workflow is not for the default branch:\n%s", files[1].Text)
	}
	if strings.HasPrefix(files[0].Part, "#") || !strings.Contains(files[0].Part, "- id: planvet") {
		t.Errorf("what to add to an existing file is\n%s", files[0].Part)
	}
}

// Every file of hooks and CI has a part of --without, and the mark of its program.
func TestMarks(t *testing.T) {
	for _, m := range marks {
		if _, err := integration.Named(m.name); err != nil {
			t.Error(err)
		}
	}
}

func TestSeal(t *testing.T) {
	text := seal("<!-- " + unsealed + " -->\n# a\n\nb\n")
	if strings.Contains(text, unsealed) || !intact(text) {
		t.Errorf("sealed text is not intact: %s", text)
	}
	if !intact(strings.ReplaceAll(text, "\n", "\r\n")) {
		t.Error("other ends of lines break the seal")
	}
	for _, changed := range []string{text + "c\n", strings.Replace(text, "# a", "# A", 1), "", "# a\n", strings.Replace(text, "sha256:", "sha1:", 1)} {
		if intact(changed) {
			t.Errorf("intact: %q", changed)
		}
	}
}

func TestWrite(t *testing.T) {
	dir := t.TempDir()
	old := seal("<!-- " + unsealed + " -->\nold\n")
	casetest.WriteFiles(t, dir, map[string]string{
		"mine.yaml": "version: 1\n", "old.md": old, "changed.md": old + "mine\n", "hooks.yml": "repos: []\n", "has.yml": "run: planvet check\n", "same.md": "same\n",
	})
	if err := os.Symlink("nowhere", filepath.Join(dir, "link.yaml")); err != nil {
		t.Fatal(err)
	}
	sealed := seal("<!-- " + unsealed + " -->\nnew\n")
	files := []File{
		{Path: "new/deep/a.yaml", Text: "a\n"},
		{Path: "mine.yaml", Text: "theirs\n"},
		{Path: "old.md", Text: sealed, Sealed: true},
		{Path: "changed.md", Text: sealed, Sealed: true},
		{Path: "hooks.yml", Text: "x\n", Part: "x\n"},
		{Path: "has.yml", Text: "x\n", Part: "x\n", Has: true},
		{Path: "absent.yml", Text: "x\n", Has: true},
		{Path: "same.md", Text: "same\n"},
		{Path: "link.yaml", Text: "x\n"},
	}
	want := []Did{Wrote, Kept, Renewed, Kept, Add, Kept, Kept, Kept, Kept}
	before := tree(t, dir)
	for _, dry := range []bool{true, false} {
		steps, err := Write(dir, files, dry)
		if err != nil {
			t.Fatal(err)
		}
		for i, s := range steps {
			if s.Did != want[i] || s.Did == Kept && s.Why == "" {
				t.Errorf("dry %v, %s: %s (%s), want %s", dry, s.Path, s.Did, s.Why, want[i])
			}
		}
		if after := tree(t, dir); dry && after != before {
			t.Errorf("a dry run leaves\n%s\nof\n%s", after, before)
		}
	}
	after := tree(t, dir)
	for _, line := range []string{"new/deep/a.yaml: a\n", "mine.yaml: version: 1\n", "old.md: " + sealed, "changed.md: " + old + "mine\n", "hooks.yml: repos: []\n"} {
		if !strings.Contains(after, line) {
			t.Errorf("no %q in\n%s", line, after)
		}
	}
	if _, err := Write(dir, files, false); err != nil || tree(t, dir) != after {
		t.Errorf("a second run changes something, %v:\n%s", err, tree(t, dir))
	}
	// What cannot be written is an error that names the file.
	if _, err := Write(dir, []File{{Path: "mine.yaml/x", Text: "x"}}, false); err == nil || !strings.Contains(err.Error(), "mine.yaml/x") {
		t.Errorf("a file below a file gives %v", err)
	}
}

// tree is every file of a folder with its text.
func tree(t *testing.T, dir string) string {
	t.Helper()
	var b strings.Builder
	err := filepath.Walk(dir, func(p string, st os.FileInfo, err error) error {
		if err != nil || !st.Mode().IsRegular() {
			return err
		}
		text, err := os.ReadFile(p)
		rel, _ := filepath.Rel(dir, p)
		b.WriteString(filepath.ToSlash(rel) + ": " + string(text))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestPostgresOf(t *testing.T) {
	for name, c := range map[string]struct {
		files map[string]string
		want  int
		from  string
	}{
		"nothing":          {nil, 0, ""},
		"supabase":         {map[string]string{"supabase/config.toml": "[db]\nmajor_version = 15\n", "compose.yaml": "services:\n  db:\n    image: postgres:17\n"}, 15, "supabase/config.toml"},
		"compose":          {map[string]string{"docker-compose.yml": "services:\n  db:\n    image: \"postgres:16.4-alpine\"\n"}, 16, "docker-compose.yml"},
		"of a folder":      {map[string]string{"apps/db/supabase/config.toml": "[db]\nmajor_version = 17\n"}, 17, "apps/db/supabase/config.toml"},
		"pgvector":         {map[string]string{"compose.yml": "    image: pgvector/pgvector:pg17\n"}, 17, "compose.yml"},
		"postgis":          {map[string]string{"compose.yml": "    image: postgis/postgis:16-3.4\n"}, 16, "compose.yml"},
		"timescale":        {map[string]string{"compose.yml": "    image: timescale/timescaledb:2.15.0-pg16\n"}, 16, "compose.yml"},
		"a service of CI":  {map[string]string{".github/workflows/ci.yml": "services:\n  postgres:\n    image: postgres:14\n"}, 14, ".github/workflows/ci.yml"},
		"two that agree":   {map[string]string{"compose.yml": " image: postgres:15\n", ".gitlab-ci.yml": " - image: postgres:15.2\n"}, 15, "compose.yml"},
		"two that differ":  {map[string]string{"compose.yml": " image: postgres:15\n", ".gitlab-ci.yml": " image: postgres:16\n"}, 0, ""},
		"not supported":    {map[string]string{"compose.yml": " image: postgres:12\n"}, 0, "compose.yml"},
		"another database": {map[string]string{"compose.yml": " image: mysql:18\n image: redis:16\n"}, 0, ""},
		"a tag in words":   {map[string]string{"compose.yml": " image: postgres:latest\n"}, 0, ""},
		"a variable":       {map[string]string{"compose.yml": " image: postgres:${PG}\n"}, 0, ""},
	} {
		dir := t.TempDir()
		casetest.WriteFiles(t, dir, c.files)
		if v, from := postgresOf(dir, []string{filepath.Join(dir, "apps", "db"), dir}); v != c.want || c.want != 0 && from != c.from {
			t.Errorf("%s: %d of %q, want %d of %q", name, v, from, c.want, c.from)
		}
	}
}

func TestPlaces(t *testing.T) {
	f := &Facts{Root: filepath.FromSlash("/r/app"), Repository: filepath.FromSlash("/r"), Databases: []Database{{"default", "db/supabase/migrations", "supabase", 2}, {"x", "x", "goose", 1}}}
	if got, want := f.places(), []string{filepath.FromSlash("/r/app/db"), filepath.FromSlash("/r/app"), filepath.FromSlash("/r")}; !slices.Equal(got, want) {
		t.Errorf("places %v, want %v", got, want)
	}
}

func TestTools(t *testing.T) {
	dir := t.TempDir()
	casetest.WriteFiles(t, dir, map[string]string{
		".pre-commit-config.yaml": "repos: []\n", ".config/lefthook.yaml": "pre-commit:\n  jobs:\n    - run: planvet check\n",
		".github/workflows/ci.yml": "jobs: {}\n", ".github/workflows/perf.yaml": "- uses: planvet/planvet@v1\n",
	})
	want := []Tool{{"pre-commit", ".pre-commit-config.yaml", false}, {"lefthook", ".config/lefthook.yaml", true}, {"github", ".github", true}}
	if got := tools(dir); !slices.Equal(got, want) {
		t.Errorf("found %v, want %v", got, want)
	}
	if got := tools(t.TempDir()); len(got) != 0 {
		t.Errorf("an empty folder has %v", got)
	}
}

package consumers

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"unicode/utf16"

	"github.com/planvet/planvet/internal/report"
	"github.com/planvet/planvet/rules"
)

// run is what one check gave: the findings by the contract, and every format's bytes.
type run struct {
	findings []rules.Finding
	files    map[string]string // sources by path
	outputs  map[string][]byte
	prefix   string // from the repository's root to the project's
}

// place is a finding as a reader sees it.
type place struct {
	Path         string
	Line, Column int
	Severity     string // error, warning or info
}

// standing are the findings that are no longer there once a planner refuted them.
func (r *run) standing() []rules.Finding {
	return slices.DeleteFunc(slices.Clone(r.findings), func(f rules.Finding) bool { return f.Verdict.Status == rules.Refuted })
}

// places are what a reader should see, with columns counted by count.
func (r *run) places(count func(line string, column int) int) []place {
	var out []place
	for _, f := range r.standing() {
		p := place{r.prefix + f.Location.Path, f.Location.Line, 0, string(f.Severity)}
		if lines := strings.Split(r.files[f.Location.Path], "\n"); count != nil && f.Location.Column > 0 {
			if f.Location.Line <= len(lines) {
				p.Column = count(lines[f.Location.Line-1], f.Location.Column)
			} else {
				p.Column = count("", f.Location.Column)
			}
		}
		out = append(out, p)
	}
	return sorted(out)
}

func sorted(ps []place) []place {
	slices.SortFunc(ps, func(a, b place) int {
		return cmp.Or(cmp.Compare(a.Path, b.Path), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column), cmp.Compare(a.Severity, b.Severity))
	})
	return ps
}

// byByte leaves a column as it is, byUTF16 counts it anew, by the standard library.
func byByte(_ string, column int) int { return column }

func byUTF16(line string, column int) int {
	if line == "" {
		return 0 // the file cannot be read, and nothing is known
	}
	return len(utf16.Encode([]rune(line[:column-1]))) + 1
}

func same(t *testing.T, got, want []place) {
	t.Helper()
	if len(want) == 0 {
		t.Fatal("nothing is compared")
	}
	if got = sorted(got); !slices.Equal(got, want) {
		t.Fatalf("the reader sees\n%s\nJSON has\n%s", lines(got), lines(want))
	}
}

func lines(ps []place) string {
	var b strings.Builder
	for _, p := range ps {
		fmt.Fprintf(&b, "  %s:%d:%d %s\n", p.Path, p.Line, p.Column, p.Severity)
	}
	return b.String()
}

// each runs a test on what planvet says of a project, and on a made document that
// has every severity, verdict and odd character.
func each(t *testing.T, test func(t *testing.T, r *run)) {
	t.Run("check", func(t *testing.T) {
		if testing.Short() {
			t.Skip("planvet is built")
		}
		test(t, checked(t))
	})
	t.Run("document", func(t *testing.T) { test(t, written(t, document(), "sub dir/é/")) })
}

// written writes a document in every format.
func written(t *testing.T, d *report.Document, prefix string) *run {
	t.Helper()
	r := &run{findings: d.Findings, files: sources, outputs: map[string][]byte{}, prefix: prefix}
	o := &report.WriteOptions{Repository: strings.TrimSuffix(prefix, "/"), Working: strings.TrimSuffix(prefix, "/")}
	for _, f := range report.Formats() {
		var b bytes.Buffer
		if _, err := f.Write(&b, d, o); err != nil {
			t.Fatalf("%s: %v", f.Name, err)
		}
		r.outputs[f.Name] = b.Bytes()
	}
	return r
}

// sources are a project's: what has to be counted stands behind é and an emoji.
var sources = map[string]string{
	"planvet.yaml": "version: 1\nmigrations: db\n",
	"go.mod":       "module example.com/app\n\ngo 1.26.0\n",
	"db/001 é.sql": "create table players (id bigint primary key, email text not null);\n" +
		"/* é 😀 𝄞 */ create table visits (id bigint primary key, player_id bigint references players (id));\n" +
		"alter table visits enable row level security;\n" +
		"/* 漢字 */ create policy own on visits using (player_id = current_setting('app.player')::bigint);\n",
	"store/store.go": "package store\n\nimport (\n\t\"context\"\n\t\"database/sql\"\n)\n\n" +
		"// Find is é.\nfunc Find(ctx context.Context, db *sql.DB, email string) error {\n" +
		"\t/* 😀é */ _, err := db.QueryContext(ctx, `/* é😀 */ select id from players where email = $1`, email)\n\treturn err\n}\n",
}

// document is a made one.
func document() *report.Document {
	const policy = "/* 漢字 */ create policy own on visits using ("
	at := func(path string, line, column int) rules.Location {
		return rules.Location{Path: path, Line: line, Column: column}
	}
	d := &report.Document{
		Version: "1.2.3", ConfirmRun: true, GoRun: true,
		Read: func(path string) ([]byte, error) {
			if s, ok := sources[path]; ok {
				return []byte(s), nil
			}
			return nil, os.ErrNotExist
		},
		Findings: []rules.Finding{
			{
				Rule: "unindexed-foreign-key", Severity: rules.Error, Certainty: rules.Certain,
				Message:  "visits.player_id has no index: 100 % of it is read, \"é\" & <b>",
				Location: at("db/001 é.sql", 2, len("/* é 😀 𝄞 */ create table visits (id bigint primary key, ")+1),
				Related:  []rules.Related{{Location: at("db/001 é.sql", 1, 1), Message: "players is defined here"}},
				Object:   rules.Object{Schema: "public", Table: "visits", Columns: []string{"player_id"}},
				Fix:      &rules.Fix{SQL: []string{"create index on visits (player_id)"}, Note: "one more index"},
				Verdict: rules.Verdict{
					Status: rules.Confirmed, Level: rules.Measured, Rows: 1000, ServerVersion: "16.2",
					Before: &rules.Evidence{Cost: 2084, Access: "Seq Scan"}, After: &rules.Evidence{Cost: 8.3, Access: "Index Scan"},
				},
				SpecRef: "NFR-12",
			},
			{
				Rule: "rls-unindexed-predicate", Severity: rules.Warning, Certainty: rules.Certain, Message: "inconclusive, [x](y) `z`, a\\b {0}",
				Location: at("db/001 é.sql", 4, len(policy)+1), Object: rules.Object{Table: "visits"},
				Verdict: rules.Verdict{Status: rules.Inconclusive, Reason: "set app.player"},
			},
			{
				Rule: "rls-initplan", Severity: rules.Warning, Certainty: rules.Certain, Message: "refuted: must be seen nowhere",
				Location: at("db/001 é.sql", 4, len(policy)+1),
				Verdict:  rules.Verdict{Status: rules.Refuted, Level: rules.Structural, Reason: "a path exists"},
			},
			{
				Rule: "nplusone", Severity: rules.Info, Certainty: rules.Certain, Message: "a line alone, 50%, and: more",
				Location: rules.Location{Path: "store/store.go", Line: 9, EndLine: 12},
				Fix:      &rules.Fix{SQL: []string{"select 1\n  where true"}},
			},
			{
				Rule: "unindexed-where", Severity: rules.Error, Certainty: rules.Possible, Message: "players.email has no index",
				Location: at("store/store.go", 10, len("\t/* 😀é */ _, err := db.QueryContext(ctx, `/* é😀 */ select id from players where ")+1),
				Fix:      &rules.Fix{SQL: []string{"create index on players (email)"}},
				Related:  []rules.Related{{Location: at("db/001 é.sql", 1, 1), Message: "players is defined here"}},
			},
			{
				Rule: "unindexed-order", Severity: rules.Warning, Certainty: rules.Certain, Message: "in a file that is gone",
				Location: at("store/ü,=:gone.go", 3, 7),
			},
		},
	}
	rules.SetIDs(d.Findings)
	return d
}

// planvet is the program, built once.
var planvet = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "planvet-consumers-")
	if err != nil {
		return "", err
	}
	made = dir
	bin := filepath.Join(dir, "planvet")
	if runtime.GOOS == "windows" {
		bin += ".exe"
	}
	cmd := exec.Command("go", "build", "-o", bin, "./cmd/planvet")
	cmd.Dir = "../../.."
	out, err := cmd.CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("building planvet: %w\n%s", err, out)
	}
	return bin, nil
})

// made is the folder that planvet was built in.
var made string

func TestMain(m *testing.M) {
	code := m.Run()
	if made != "" {
		os.RemoveAll(made)
	}
	os.Exit(code)
}

// project writes the sources as a part of a repository.
func project(t *testing.T) (repository, dir string) {
	t.Helper()
	repository = t.TempDir()
	dir = filepath.Join(repository, "svc é")
	for path, text := range sources {
		file := filepath.Join(dir, filepath.FromSlash(path))
		if err := os.MkdirAll(filepath.Dir(file), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir(filepath.Join(repository, ".git"), 0o777); err != nil {
		t.Fatal(err)
	}
	return repository, dir
}

// checked runs planvet check once, with all formats as outputs.
func checked(t *testing.T) *run {
	t.Helper()
	bin, err := planvet()
	if err != nil {
		t.Fatal(err)
	}
	repository, dir := project(t)
	out := t.TempDir()
	args := []string{"check", dir, "--output", "text"}
	for _, f := range report.Formats() {
		args = append(args, "--output", f.Name+"="+filepath.Join(out, f.Name))
	}
	cmd := exec.Command(bin, args...)
	cmd.Dir = repository
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	stdout, _ := cmd.Output()
	if code := cmd.ProcessState.ExitCode(); code != 1 {
		t.Fatalf("exit %d, want 1\n%s", code, stderr.Bytes())
	}
	r := &run{files: sources, outputs: map[string][]byte{}, prefix: "svc é/"}
	for _, f := range report.Formats() {
		b, err := os.ReadFile(filepath.Join(out, f.Name))
		if err != nil {
			t.Fatal(err)
		}
		r.outputs[f.Name] = b
	}
	if !bytes.Equal(stdout, r.outputs["text"]) {
		t.Errorf("stdout and text=FILE differ")
	}
	var doc struct{ Findings []rules.Finding }
	if err := json.Unmarshal(r.outputs["json"], &doc); err != nil {
		t.Fatal(err)
	}
	r.findings = doc.Findings
	wide := 0
	for _, f := range r.findings {
		line := strings.Split(sources[f.Location.Path], "\n")[f.Location.Line-1]
		if f.Location.Column > 0 && byUTF16(line, f.Location.Column) != f.Location.Column {
			wide++
		}
	}
	if wide < 2 {
		t.Fatalf("%d of %d findings stand behind é or an emoji: %s", wide, len(r.findings), r.outputs["gcc"])
	}
	return r
}

package consumers

import (
	"bytes"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/owenrumney/go-sarif/v3/pkg/report/v210/sarif"
	"github.com/santhosh-tekuri/jsonschema/v6"
)

// The file is held against OASIS's schema, and read by go-sarif.
func TestSARIF(t *testing.T) {
	each(t, func(t *testing.T, r *run) {
		log := parseSARIF(t, r.outputs["sarif"])
		if kind := log.Runs[0].ColumnKind; kind == nil || *kind != "utf16CodeUnits" {
			t.Errorf("columnKind is %v", kind)
		}
		ends, fixes, confirmed := 0, 0, 0
		ids := map[string]bool{}
		for _, res := range log.Runs[0].Results {
			ends += len(res.RelatedLocations)
			fixes += len(res.Fixes)
			for _, v := range res.PartialFingerprints {
				ids[v] = true
			}
			rule := log.Runs[0].Tool.Driver.Rules[res.RuleIndex]
			if *rule.ID != *res.RuleID {
				t.Errorf("ruleIndex %d is %s, want %s", res.RuleIndex, *rule.ID, *res.RuleID)
			}
			if rule.Help == nil || rule.Help.Markdown == nil || *rule.Help.Markdown == "" {
				t.Errorf("%s has no help in Markdown", *rule.ID)
			}
			if v, _ := res.Properties.Properties["verdict"].(map[string]any); v["status"] == "confirmed" {
				confirmed++
			}
		}
		wantEnds, wantConfirmed := r.tally()
		if ends != wantEnds || confirmed != wantConfirmed {
			t.Errorf("%d other ends and %d confirmed, want %d and %d", ends, confirmed, wantEnds, wantConfirmed)
		}
		wantFixes := 0
		for _, f := range r.standing() {
			if !ids[f.ID] {
				t.Errorf("%s has no fingerprint", f.ID)
			}
			if f.Fix != nil && len(f.Fix.SQL) > 0 && f.Rule != "nplusone" {
				wantFixes++
			}
		}
		if fixes != wantFixes || fixes == 0 {
			t.Errorf("%d fixes, want %d", fixes, wantFixes)
		}
	})
}

// Microsoft's validator knows rules of SARIF's that no schema has, and GitHub's.
func TestSARIFMultitool(t *testing.T) {
	if testing.Short() || runtime.GOOS != "linux" || runtime.GOARCH != "amd64" {
		t.Skip("the validator is a program for Linux, of 100 MB")
	}
	dir := fromNPM(t, "@microsoft/sarif-multitool-linux@5.7.0")
	tool := filepath.Join(dir, "node_modules", "@microsoft", "sarif-multitool-linux", "Sarif.Multitool")
	if err := os.Chmod(tool, 0o755); err != nil {
		t.Fatal(err)
	}
	validate := func(t *testing.T, b []byte) (errors []string) {
		t.Helper()
		file := filepath.Join(t.TempDir(), "planvet.sarif")
		if err := os.WriteFile(file, b, 0o666); err != nil {
			t.Fatal(err)
		}
		cmd := exec.Command(tool, "validate", file, "--rule-kind", "Sarif;Ghas")
		cmd.Env = append(os.Environ(), "DOTNET_SYSTEM_GLOBALIZATION_INVARIANT=1")
		out, err := cmd.CombinedOutput()
		if !strings.Contains(string(out), "Done. 1 files scanned.") {
			t.Fatalf("the validator did not run: %v\n%s", err, out)
		}
		for line := range strings.Lines(string(out)) {
			if strings.Contains(line, ": error ") {
				errors = append(errors, line)
			}
		}
		return errors
	}
	each(t, func(t *testing.T, r *run) {
		b := r.outputs["sarif"]
		if errors := validate(t, b); len(errors) > 0 {
			t.Errorf("%d errors, the first:\n%s", len(errors), errors[0])
		}
		if errors := validate(t, bytes.Replace(b, []byte(`"ruleIndex": 0`), []byte(`"ruleIndex": 99`), 1)); bytes.Contains(b, []byte(`"ruleIndex": 0`)) && len(errors) == 0 {
			t.Error("the validator takes an index of no rule")
		}
	})
}

func parseSARIF(t *testing.T, b []byte) *sarif.Report {
	t.Helper()
	schema, err := sarifSchema()
	if err != nil {
		t.Fatal(err)
	}
	if err := validate(schema, b); err != nil {
		t.Fatalf("the file is not SARIF 2.1.0: %v", err)
	}
	// A schema that takes anything would prove nothing.
	for _, c := range [][2]string{{`"utf16CodeUnits"`, `"bytes"`}, {`"startLine": 2`, `"startLine": 0`}, {`"ruleIndex"`, `"ruleNumber"`}} {
		if bad := bytes.ReplaceAll(b, []byte(c[0]), []byte(c[1])); bytes.Contains(b, []byte(c[0])) && validate(schema, bad) == nil {
			t.Fatalf("the schema takes %s", c[1])
		}
	}
	log, err := sarif.FromBytes(b, sarif.WithStrictValidation())
	if err != nil {
		t.Fatal(err)
	}
	return log
}

func validate(s *jsonschema.Schema, b []byte) error {
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(b))
	if err != nil {
		return err
	}
	return s.Validate(doc)
}

// sarifSchema is OASIS's, which go-sarif carries as a constant that it does not
// export: its own check is of what it would write again, not of the file.
var sarifSchema = sync.OnceValues(func() (*jsonschema.Schema, error) {
	dir, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "github.com/owenrumney/go-sarif/v3").Output()
	if err != nil {
		return nil, err
	}
	file := filepath.Join(strings.TrimSpace(string(dir)), "pkg", "report", "v210", "sarif", "schema.go")
	parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
	if err != nil {
		return nil, err
	}
	text := ""
	ast.Inspect(parsed, func(n ast.Node) bool {
		if l, ok := n.(*ast.BasicLit); ok && l.Kind == token.STRING && len(l.Value) > len(text) {
			text = l.Value
		}
		return true
	})
	if text, err = strconv.Unquote(text); err != nil {
		return nil, err
	}
	doc, err := jsonschema.UnmarshalJSON(strings.NewReader(text))
	if err != nil {
		return nil, err
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("sarif.json", doc); err != nil {
		return nil, err
	}
	return c.Compile("sarif.json")
})

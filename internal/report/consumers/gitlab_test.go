package consumers

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// qualityProgram is TypeScript that reads a report by the published types of Code
// Climate's format, of which GitLab's is a part.
const qualityProgram = `import type { Issue } from 'codeclimate-types'
const issues: Issue[] = REPORT
for (const i of issues) {
  if (!('lines' in i.location) || !i.fingerprint || !i.content) throw new Error(i.check_name)
  console.log(JSON.stringify({
    Path: i.location.path, Line: i.location.lines.begin, Severity: i.severity, Rule: i.check_name,
    Message: i.description, ID: i.fingerprint, Ends: i.other_locations?.length ?? 0,
  }))
}
`

func TestGitLab(t *testing.T) {
	dir := fromNPM(t, "codeclimate-types@0.3.1", "typescript@5.9.3")
	in := func(name string, args ...string) (string, error) {
		cmd := exec.Command(name, args...)
		cmd.Dir = dir
		out, err := cmd.CombinedOutput()
		return string(out), err
	}
	compile := func(t *testing.T, report []byte) (string, error) {
		t.Helper()
		program := bytes.Replace([]byte(qualityProgram), []byte("REPORT"), report, 1)
		if err := os.WriteFile(filepath.Join(dir, "read.mts"), program, 0o666); err != nil {
			t.Fatal(err)
		}
		return in("node", filepath.Join("node_modules", "typescript", "bin", "tsc"), "--strict", "--target", "es2022", "--lib", "es2022", "--module", "nodenext", "read.mts", "globals.d.ts")
	}
	if err := os.WriteFile(filepath.Join(dir, "globals.d.ts"), []byte("declare const console: { log(s: string): void }\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	each(t, func(t *testing.T, r *run) {
		if out, err := compile(t, r.outputs["gitlab"]); err != nil {
			t.Fatalf("the report is not of Code Climate's types: %v\n%s", err, out)
		}
		out, err := in("node", "read.mjs")
		if err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		if bad := bytes.Replace(r.outputs["gitlab"], []byte(`"major"`), []byte(`"warning"`), 1); !bytes.Equal(bad, r.outputs["gitlab"]) {
			if _, err := compile(t, bad); err == nil {
				t.Fatal("the types take any severity")
			}
		}
		var got []place
		ids, ends := map[string]bool{}, 0
		for d := json.NewDecoder(bytes.NewReader([]byte(out))); d.More(); {
			var i struct {
				Path, Severity, Rule, Message, ID string
				Line, Ends                        int
			}
			if err := d.Decode(&i); err != nil {
				t.Fatal(err)
			}
			severity := map[string]string{"critical": "error", "major": "warning", "info": "info"}[i.Severity]
			got = append(got, place{i.Path, i.Line, 0, severity})
			ids[i.ID] = true
			ends += i.Ends
		}
		same(t, got, r.places(nil))
		if want, _ := r.tally(); ends != want {
			t.Errorf("%d other ends, want %d", ends, want)
		}
		for _, f := range r.standing() {
			if !ids[f.ID] {
				t.Errorf("%s is not in the report", f.ID)
			}
		}
	})
}

package main

import (
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestScaffold(t *testing.T) {
	root := t.TempDir()
	if err := os.Mkdir(filepath.Join(root, "sqllint"), 0o755); err != nil {
		t.Fatal(err)
	}
	written, err := scaffold(root, "unindexed-full-text", "sqllint")
	if err != nil || len(written) != 4 {
		t.Fatalf("wrote %q, %v; want four files", written, err)
	}
	for _, path := range written {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, left := range []string{"NAME", "STEM", "VAR", "PKG"} {
			if strings.Contains(string(text), left) {
				t.Errorf("%s still has %s", path, left)
			}
		}
	}
	file := filepath.Join(root, "sqllint", "unindexed_full_text.go")
	parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	if parsed.Name.Name != "sqllint" || parsed.Scope.Lookup("unindexedFullText") == nil {
		t.Errorf("%s does not declare sqllint.unindexedFullText", file)
	}
	if _, err := scaffold(root, "unindexed-full-text", "sqllint"); err == nil || !strings.Contains(err.Error(), "there already") {
		t.Errorf("a second run gave %v, want a refusal to overwrite", err)
	}
}

func TestScaffoldRefuses(t *testing.T) {
	root := t.TempDir()
	for _, c := range []struct{ name, pkg, want string }{
		{"", ".", "kebab-case"},
		{"Unindexed", ".", "kebab-case"},
		{"unindexed", ".", "kebab-case"},
		{"../escape-this", ".", "kebab-case"},
		{"unindexed-thing", "nowhere", "no folder"},
	} {
		if _, err := scaffold(root, c.name, c.pkg); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("scaffold(%q, %q) = %v, want %s", c.name, c.pkg, err, c.want)
		}
	}
}

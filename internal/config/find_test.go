package config

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestFind(t *testing.T) {
	dir := t.TempDir()
	write := func(path string) {
		t.Helper()
		full := filepath.Join(dir, path)
		if err := os.MkdirAll(filepath.Dir(full), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(full, nil, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for _, f := range []string{
		"conf/planvet.yaml", "conf/go.mod", "conf/sub/go.mod", "conf/sub/deep/x.go",
		"dot/.planvet.yaml", "dot/a/x.go",
		"work/go.work", "work/m/go.mod", "work/m/p/x.go",
		"mod/.git/HEAD", "mod/n/go.mod", "mod/n/p/x.go", "mod/other/x.sql",
	} {
		write(f)
	}
	for _, c := range []struct{ start, root, file string }{
		{"conf", "conf", "conf/planvet.yaml"},
		{"conf/sub/deep", "conf", "conf/planvet.yaml"},
		{"conf/sub/deep/x.go", "conf", "conf/planvet.yaml"},
		{"dot/a", "dot", "dot/.planvet.yaml"},
		{"work/m/p", "work", ""},
		{"mod/n/p", "mod/n", ""},
		{"mod/other", "mod", ""},
	} {
		root, file := Find(filepath.Join(dir, c.start))
		rel := func(p string) string { return strings.TrimPrefix(strings.TrimPrefix(p, dir), "/") }
		if rel(root) != c.root || rel(file) != c.file {
			t.Errorf("Find(%s) = %s, %s; want %s, %s", c.start, rel(root), rel(file), c.root, c.file)
		}
	}
	t.Setenv("PLANVET_CONFIG", filepath.Join(dir, "dot", ".planvet.yaml"))
	if root, file := Find(filepath.Join(dir, "conf")); root != filepath.Join(dir, "dot") || file == "" {
		t.Errorf("PLANVET_CONFIG gave %s, %s", root, file)
	}
}

func TestLoadMissing(t *testing.T) {
	_, err := Load("/no/such/planvet.yaml")
	if err == nil || err.Error() != "reading config /no/such/planvet.yaml: no such file or directory" {
		t.Error(err)
	}
	c, err := Load("")
	if err != nil || c.Version != 1 {
		t.Error(c, err)
	}
}

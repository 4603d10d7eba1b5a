package migrationscan_test

import (
	"fmt"
	"io/fs"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/planvet/planvet/catalog"
	"github.com/planvet/planvet/internal/casetest"
	"github.com/planvet/planvet/migrationscan"
)

// Each testdata/*.txtar is a project; its file "want" is what is found in it and
// what the replay gives. UPDATE=1 rewrites it. ok_* must also equal a server's
// catalog, limits_* are known misses.
func TestCases(t *testing.T) {
	for _, c := range casetest.Glob(t, "testdata/*.txtar") {
		t.Run(c.Name, func(t *testing.T) {
			d, err := migrationscan.Discover(project(c), migrationscan.Options{})
			if err != nil {
				t.Fatal(err)
			}
			got := summary(d)
			for _, s := range d.Sets {
				res := migrationscan.Replay(s, migrationscan.ReplayOptions{})
				got += "\n" + replayed(s.Name, res)
			}
			c.Want(t, got)
			if strings.HasPrefix(c.Name, "ok_") {
				for _, s := range d.Sets {
					equalsServer(t, s)
				}
			}
		})
	}
}

func equalsServer(t *testing.T, s migrationscan.Set) {
	t.Helper()
	if testing.Short() {
		return
	}
	res := migrationscan.Replay(s, migrationscan.ReplayOptions{})
	server, refused := onServer(t, res)
	for _, p := range refused {
		t.Logf("refused by the server: %s:%d: %s", p.Path, p.Line, p.Error)
	}
	for _, l := range differences(res.Catalog, server) {
		t.Error("differs from the server: ", l)
	}
}

// project is a case's files without what is wanted of them.
func project(c *casetest.Case) fs.FS {
	files := fstest.MapFS{}
	for _, f := range c.Files {
		if f.Name != "want" {
			files[f.Name] = &fstest.MapFile{Data: f.Data}
		}
	}
	return files
}

// summary writes a discovery.
func summary(d *migrationscan.Discovery) string {
	var b strings.Builder
	for _, s := range d.Sets {
		fmt.Fprintf(&b, "set %s: %s (%s)\n", s.Name, s.Dir, s.Chosen)
		for _, x := range s.Scripts {
			fmt.Fprintf(&b, "  %s", x.Path)
			if x.NoTransaction {
				b.WriteString(" without a transaction")
			}
			b.WriteString("\n")
		}
	}
	for _, a := range d.Ambiguous {
		fmt.Fprintf(&b, "ambiguous: %s; taken %s; %s\n", strings.Join(a.Candidates, ", "), a.Taken, a.Config)
	}
	for _, s := range d.Skipped {
		fmt.Fprintf(&b, "skipped %s: %s\n", s.Path, s.Reason)
	}
	return b.String()
}

// replayed writes a replay: relations without what the platform brought.
func replayed(name string, res *migrationscan.Result) string {
	var b strings.Builder
	fmt.Fprintf(&b, "catalog %s\n", name)
	for _, r := range res.Catalog.Relations() {
		if r.Platform && !userPolicies(r) {
			continue
		}
		relation(&b, r)
	}
	for _, f := range res.Catalog.AllFunctions() {
		if !f.Platform {
			fmt.Fprintf(&b, "function %s(%s) %s at %s:%d\n", f.Name, strings.Join(f.Args, ", "), f.Volatility, f.Location.Path, f.Location.Line)
		}
	}
	for _, t := range res.Catalog.Types() {
		if !t.Platform {
			fmt.Fprintf(&b, "type %s %s %q\n", t.Name, t.Kind, t.Labels)
		}
	}
	for _, p := range res.Unparsed {
		fmt.Fprintf(&b, "unparsed %s:%d:%d: %s\n", p.Path, p.Line, p.Column, p.Error)
	}
	for _, p := range res.NotApplied {
		fmt.Fprintf(&b, "not applied %s:%d:%d: %s\n", p.Path, p.Line, p.Column, p.Error)
	}
	return b.String()
}

func userPolicies(r *catalog.Relation) bool {
	for _, p := range r.Policies {
		if !p.Platform {
			return true
		}
	}
	return false
}

func relation(b *strings.Builder, r *catalog.Relation) {
	fmt.Fprintf(b, "%s %s at %s:%d", r.Kind, r.Name, r.Location.Path, r.Location.Line)
	for _, x := range []struct {
		on   bool
		text string
	}{
		{r.Stub, "stub"}, {r.RLSEnabled, "rls"}, {r.RLSForced, "forced"}, {r.PartitionOf.Name != "", "of " + r.PartitionOf.String()},
		{len(r.PartitionKeys) > 0, fmt.Sprintf("by %s %v", r.PartitionStrategy, r.PartitionKeys)},
		{len(r.Inherits) > 0, fmt.Sprintf("inherits %v", r.Inherits)}, {r.SeededRows > 0, fmt.Sprintf("%d rows", r.SeededRows)},
		{len(r.Triggers) > 0, fmt.Sprintf("triggers %v", r.Triggers)}, {len(r.ChangedBy) > 0, "perhaps changed"},
	} {
		if x.on {
			b.WriteString(" " + x.text)
		}
	}
	b.WriteString("\n")
	if !r.Platform {
		for _, c := range r.Columns {
			fmt.Fprintf(b, "  %s %s", c.Name, c.Type)
			for _, x := range []struct {
				on   bool
				text string
			}{{c.NotNull, "not null"}, {c.HasDefault, "default " + c.Default}, {c.Generated, "generated"}, {c.Identity != "", "identity " + c.Identity}} {
				if x.on {
					b.WriteString(" " + x.text)
				}
			}
			b.WriteString("\n")
		}
	}
	document(b, r)
}

// document writes what has names: constraints, indexes, policies.
func document(b *strings.Builder, r *catalog.Relation) {
	if !r.Platform {
		for _, c := range r.Constraints {
			fmt.Fprintf(b, "  %s %s (%s)", c.Kind, c.Name, strings.Join(c.Columns, ", "))
			switch c.Kind {
			case catalog.ForeignKey:
				fmt.Fprintf(b, " -> %s (%s) %s", c.References, strings.Join(c.RefColumns, ", "), c.OnDelete)
			case catalog.Check:
				b.WriteString(" " + c.Expr)
			}
			fmt.Fprintf(b, " at line %d\n", c.Location.Line)
		}
		for _, x := range r.Indexes {
			fmt.Fprintf(b, "  index %s %s unique %v", x.Name, x.Method, x.Unique)
			for _, k := range x.Keys {
				fmt.Fprintf(b, " [%s]", k)
			}
			if len(x.Include) > 0 {
				fmt.Fprintf(b, " include %v", x.Include)
			}
			if x.Predicate != "" {
				b.WriteString(" where " + x.Predicate)
			}
			fmt.Fprintf(b, " at line %d\n", x.Location.Line)
		}
	}
	for _, p := range r.Policies {
		if p.Platform {
			continue
		}
		fmt.Fprintf(b, "  policy %s for %s to %v", p.Name, p.Command, p.Roles)
		if p.HasUsing {
			fmt.Fprintf(b, " using %s", p.Using)
		}
		if p.HasCheck {
			fmt.Fprintf(b, " check %s", p.Check)
		}
		fmt.Fprintf(b, " at %s:%d\n", p.Location.Path, p.Location.Line)
	}
}

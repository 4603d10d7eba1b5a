package source

import (
	"strings"
	"testing"

	"github.com/planvet/planvet/catalog"
	"github.com/planvet/planvet/internal/casetest"
	"github.com/planvet/planvet/internal/pgast"
)

// TestBodies runs testdata/bodies/*.txtar: in.sql is DDL, and want is what Bodies
// makes of it, with and without an API role. UPDATE=1 rewrites want.
func TestBodies(t *testing.T) {
	for _, c := range casetest.Glob(t, "testdata/bodies/*.txtar") {
		t.Run(c.Name, func(t *testing.T) {
			role := ""
			if strings.Contains(string(c.Comment), "authenticated") {
				role = "authenticated"
			}
			in := c.Files[0]
			c.Want(t, dump(Bodies(functions(t, in.Name, string(in.Data)), BodyOptions{RPCRole: role})))
		})
	}
}

// functions puts the functions and views of a text into a catalog, as a replay
// does.
func functions(t *testing.T, path, src string) *catalog.Catalog {
	t.Helper()
	cat := catalog.New()
	lines := pgast.NewLines(src)
	at := func(off int) catalog.Location {
		line, col := lines.LineCol(off)
		return catalog.Location{Path: path, Line: line, Column: col}
	}
	for _, p := range pgast.ParseFile(src) {
		if p.Err != nil {
			t.Fatal(p.Err)
		}
		switch s := p.Stmt.(type) {
		case *pgast.CreateFunction:
			cat.AddFunction(function(s, p, at))
		case *pgast.CreateView:
			cat.AddRelation(&catalog.Relation{
				Name: catalog.Name{Schema: schema(s.View), Name: s.View.Name}, Kind: catalog.View,
				Location: at(p.Start), Query: pgast.Format(s.Query),
			})
		}
	}
	return cat
}

func schema(n pgast.Name) string {
	if n.Schema == "" {
		return "public"
	}
	return n.Schema
}

func function(s *pgast.CreateFunction, p pgast.Parsed, at func(int) catalog.Location) *catalog.Function {
	f := &catalog.Function{
		Name: catalog.Name{Schema: schema(s.Name), Name: s.Name.Name}, Kind: "function", Language: s.Language,
		Body: s.Body, Definition: p.Text, Location: at(p.Start),
		SecurityDefiner: s.SecurityDefiner, SearchPath: s.SearchPath, HasSearchPath: s.HasSearchPath,
	}
	if s.BodyPos >= 0 && s.Body != "" {
		f.BodyLocation = at(p.Start + s.BodyPos)
	}
	if s.Returns != nil {
		f.Returns = s.Returns.Names[len(s.Returns.Names)-1]
	}
	for _, a := range s.Args {
		switch a.Mode {
		case "out", "table":
			f.OutNames = append(f.OutNames, a.Name)
		default:
			f.ArgNames = append(f.ArgNames, a.Name)
			f.Args = append(f.Args, a.Type.Names[len(a.Type.Names)-1])
		}
	}
	return f
}

// TestBodiesElsewhere keeps out what is not the project's own.
func TestBodiesElsewhere(t *testing.T) {
	const src = "create function f() returns int language sql as 'select 1 from t'; create view v as select 1 from t;"
	for name, change := range map[string]func(*catalog.Function, *catalog.Relation){
		"platform": func(f *catalog.Function, r *catalog.Relation) { f.Platform, r.Platform = true, true },
		"server": func(f *catalog.Function, r *catalog.Relation) {
			f.Location, r.Location = catalog.Location{}, catalog.Location{}
		},
	} {
		cat := functions(t, "a.sql", src)
		if n := len(Bodies(cat, BodyOptions{}).Statements); n != 2 {
			t.Fatalf("%d statements before", n)
		}
		change(cat.Functions("public", "f")[0], cat.Relation("public", "v"))
		if got := dump(Bodies(cat, BodyOptions{})); got != "" {
			t.Errorf("%s: got\n%s", name, got)
		}
	}
}

package live_test

import (
	"context"
	"testing"

	"github.com/planvet/planvet/internal/live"
	"github.com/planvet/planvet/internal/shadow/shadowtest"
)

// A server of 18 says which constraints are not enforced and which columns are not stored.
func TestLoadCatalogSince18(t *testing.T) {
	if shadowtest.Server(t).Major() < 18 {
		t.Skip("the server is older than 18")
	}
	conn := shadowtest.Connect(t, "create table parents (id int primary key)",
		`create table kids (a int constraint loose references parents (id) not enforced, b int constraint tight references parents (id),
			c int generated always as (a * 2) virtual, d int generated always as (a * 2) stored)`)
	cat, err := live.LoadCatalog(context.Background(), conn)
	if err != nil {
		t.Fatal(err)
	}
	kids := cat.Relation("public", "kids")
	if k := kids.Constraint("loose"); k == nil || !k.NotEnforced || k.Validated {
		t.Errorf("loose: %+v", k)
	}
	if k := kids.Constraint("tight"); k == nil || k.NotEnforced || !k.Validated {
		t.Errorf("tight: %+v", k)
	}
	if c, d := kids.Column("c"), kids.Column("d"); !c.Virtual || !c.Generated || d.Virtual || !d.Generated {
		t.Errorf("c: %+v, d: %+v", c, d)
	}
}

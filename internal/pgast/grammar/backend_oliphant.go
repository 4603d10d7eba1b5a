//go:build !cgo || purego

package grammar

import (
	"errors"
	"fmt"

	pg "github.com/sqlc-dev/oliphant"
	"github.com/sqlc-dev/oliphant/parser"
)

// What is linked.
const (
	Major          = 18
	Library        = "oliphant"
	LibraryVersion = "0.2.0"
	// Retries is set for a parser that tries alternatives one after the other: its time
	// can grow exponentially, and its faults name the last alternative's.
	Retries = true
)

// Parse parses a text. A panic of the library is a fault of the text: the C parser
// reports what it cannot do as an error too.
func Parse(text string) (tree *ParseResult, f *Fault) {
	defer recovered(&f)
	tree, err := pg.Parse(text)
	if err != nil {
		return nil, fault(err)
	}
	return tree, nil
}

// Fingerprint is libpg_query's fingerprint of a text, 16 hex digits.
func Fingerprint(text string) (fp string, f *Fault) {
	defer recovered(&f)
	fp, err := pg.Fingerprint(text)
	if err != nil {
		return "", fault(err)
	}
	return fp, nil
}

// Deparse writes a tree as SQL.
func Deparse(tree *ParseResult) (text string, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("the tree could not be written: %v", r)
		}
	}()
	return pg.Deparse(tree)
}

func recovered(f **Fault) {
	if r := recover(); r != nil {
		*f = &Fault{Msg: fmt.Sprintf("statement not parsed: %v", r)}
	}
}

func fault(err error) *Fault {
	var e *parser.Error
	if errors.As(err, &e) {
		return &Fault{Msg: e.Message, Cursor: e.Cursorpos}
	}
	return &Fault{Msg: "statement not parsed: " + err.Error()}
}

// Returning is the RETURNING of an INSERT, UPDATE, DELETE or MERGE.
func Returning(stmt any) Returned {
	s, ok := stmt.(interface{ GetReturningClause() *pg.ReturningClause })
	if !ok {
		return Returned{}
	}
	r := Returned{Exprs: s.GetReturningClause().GetExprs()}
	for _, n := range s.GetReturningClause().GetOptions() {
		switch o := n.GetReturningOption(); o.GetOption() {
		case pg.ReturningOptionKind_RETURNING_OPTION_OLD:
			r.Old = o.GetValue()
		case pg.ReturningOptionKind_RETURNING_OPTION_NEW:
			r.New = o.GetValue()
		}
	}
	return r
}

// When says which rows a WHEN of MERGE is for.
func When(w *MergeWhenClause) Matching {
	return Matching{
		Matched:  w.MatchKind != pg.MergeMatchKind_MERGE_WHEN_NOT_MATCHED_BY_TARGET && w.MatchKind != pg.MergeMatchKind_MERGE_WHEN_NOT_MATCHED_BY_SOURCE,
		BySource: w.MatchKind == pg.MergeMatchKind_MERGE_WHEN_NOT_MATCHED_BY_SOURCE,
	}
}

// NewerOf is what a constraint has that PostgreSQL 16 does not know.
func NewerOf(c *Constraint) Newer {
	n := Newer{Temporal: c.WithoutOverlaps || c.FkWithPeriod, Virtual: c.GeneratedKind == "v"}
	switch c.Contype {
	case pg.ConstrType_CONSTR_CHECK, pg.ConstrType_CONSTR_FOREIGN:
		n.NotEnforced = !c.IsEnforced
	case pg.ConstrType_CONSTR_ATTR_NOT_ENFORCED: // belongs to the constraint before it
		n.NotEnforced = true
	}
	return n
}

// JSONTable reports whether n is JSON_TABLE.
func JSONTable(n *Node) (FromTable, bool) {
	t := n.GetJsonTable()
	if t == nil {
		return FromTable{}, false
	}
	bare := &pg.JsonTable{ContextItem: t.ContextItem, Pathspec: t.Pathspec, Passing: t.Passing, Columns: t.Columns, OnError: t.OnError}
	return FromTable{Alias: t.Alias, Lateral: t.Lateral, Location: t.Location,
		Bare: &Node{Node: &pg.Node_JsonTable{JsonTable: bare}}}, true
}

// Enforcement is ALTER CONSTRAINT … [NOT] ENFORCED; changes is false without it.
func Enforcement(n *Node) (constraint string, enforced, changes bool) {
	a := n.GetAtalterConstraint()
	return a.GetConname(), a.GetIsEnforced(), a.GetAlterEnforceability()
}

package explain

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/planvet/planvet/catalog"
	"github.com/planvet/planvet/internal/pgast"
	"github.com/planvet/planvet/internal/predicate"
)

// tenant tells whose a row is: a column, and the value that it has in the identity's
// own rows, as a literal.
type tenant struct{ column, value string }

func (t tenant) String() string {
	if t.column == "" {
		return ""
	}
	return t.column + " = " + t.value
}

// foreign is the condition on rows of others. NULL is nobody's.
func (t tenant) foreign() string { return quoted(t.column) + " <> " + t.value }

func applies(p *catalog.Policy, role string) bool { return predicate.PolicyApplies(p, role) }

// whose finds the tenant of the trial's identity:
//
//  1. a named column with a named claim is compared with that claim;
//  2. else the column, the named one if there is one, that a policy for this verb and
//     role compares with something of the session: auth.uid(), a claim, a setting;
//  3. a named column without such a policy is compared with the claim of its name.
//
// why says what is missing where there is no answer. A policy that lets everybody in
// tells nothing of tenants: for a table with no other one there is no answer.
func (t *trial) whose(named string) (_ tenant, why string, err error) {
	column, claim, _ := strings.Cut(named, "=")
	if column != "" && t.rel.Column(column) == nil {
		return tenant{}, "the table has no column " + column, nil
	}
	if claim == "" {
		got, why, err := t.compared(column)
		if got.column != "" || err != nil || column == "" {
			return got, why, err
		}
		claim = column
	}
	v, ok := claimAt(t.claims, claim)
	if !ok {
		return tenant{}, fmt.Sprintf("the claims have no %s to compare %s with: --tenant-column %s=CLAIM names it", claim, column, column), nil
	}
	return tenant{column, literal(v)}, "", nil
}

// claimAt is a claim by its path, a.b, or by its name in app_metadata.
func claimAt(claims, path string) (string, bool) {
	var object map[string]any
	if json.Unmarshal([]byte(claims), &object) != nil {
		return "", false
	}
	for _, p := range []string{path, "app_metadata." + path} {
		var at any = object
		for _, step := range strings.Split(p, ".") {
			m, _ := at.(map[string]any)
			at = m[step]
		}
		switch v := at.(type) {
		case string:
			return v, true
		case float64, bool:
			return fmt.Sprint(v), true
		}
	}
	return "", false
}

// compared looks for a column that a policy compares with the session.
func (t *trial) compared(column string) (_ tenant, why string, err error) {
	why = "no policy for " + t.cell.Verb + " compares a column with the session: name one with --tenant-column, or say --shared " + t.rel.Name.Short()
	for _, p := range t.rel.Policies {
		if p.Command != "all" && p.Command != t.cell.Verb || !applies(p, t.id.Role) {
			continue
		}
		text := p.Using
		if t.cell.Verb == "insert" && p.HasCheck {
			text = p.Check
		}
		e, err := pgast.ParseExpr(text)
		if err != nil || text == "" {
			continue
		}
		for _, c := range pgast.Flatten(e, pgast.And) {
			for _, arm := range pgast.Flatten(c, pgast.Or) {
				for _, part := range pgast.Flatten(arm, pgast.And) {
					name, of := t.equality(part)
					if of == nil || column != "" && name != column {
						continue
					}
					v, err := t.literal(t.id, of)
					if err != nil {
						return tenant{}, "", err
					}
					if value := pgast.Format(v); isNull(v) {
						why = fmt.Sprintf("%s is null in this session, and %s is compared with it", pgast.Format(of), name)
					} else {
						return tenant{name, value}, "", nil
					}
				}
			}
		}
	}
	return tenant{}, why, nil
}

// equality takes column = session apart.
func (t *trial) equality(e pgast.Expr) (column string, of pgast.Expr) {
	op, ok := e.(*pgast.Op)
	if !ok || op.Kind != pgast.OpPlain || op.Name != "=" || op.Left == nil {
		return "", nil
	}
	for _, sides := range [][2]pgast.Expr{{op.Left, op.Right}, {op.Right, op.Left}} {
		ref, ok := sides[0].(*pgast.ColumnRef)
		if !ok || ref.Star || len(ref.Names) == 0 || t.rel.Column(ref.Names[len(ref.Names)-1]) == nil {
			continue
		}
		if of, set := sessionValue(sides[1]); of != nil && set == nil {
			return ref.Names[len(ref.Names)-1], of
		}
	}
	return "", nil
}

func isNull(e pgast.Expr) bool {
	if c, ok := e.(*pgast.Cast); ok {
		e = c.Arg
	}
	c, ok := e.(*pgast.Const)
	return ok && c.Kind == pgast.ConstNull
}

package explain

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/planvet/planvet/catalog"
	"github.com/planvet/planvet/internal/pgast"
	"github.com/planvet/planvet/internal/predicate"
)

// tenant tells whose a row is: by a column and the value that it has in the identity's
// own rows, a literal, or by own, the conditions that tie a row to the session.
type tenant struct {
	column, value string
	own, text     string
}

func (t tenant) known() bool { return t.column != "" || t.own != "" }

func (t tenant) String() string {
	if t.own != "" {
		return t.text
	}
	if t.column == "" {
		return ""
	}
	return t.column + " = " + t.value
}

// foreign is the condition on rows of others. A NULL in the column is nobody's.
func (t tenant) foreign() string {
	if t.own != "" {
		return "not coalesce((" + t.own + "), false)"
	}
	return quoted(t.column) + " <> " + t.value
}

// mine is the condition on the identity's own rows.
func (t tenant) mine() string {
	if t.own != "" {
		return "(" + t.own + ")"
	}
	return quoted(t.column) + " = " + t.value
}

// says is what does not hold for foreign rows.
func (t tenant) says() string {
	if t.own != "" {
		return "for which " + t.text + " does not hold"
	}
	return "whose " + t.column + " is not " + t.value
}

func applies(p *catalog.Policy, role string) bool { return predicate.PolicyApplies(p, role) }

// whose finds the tenant of the trial's identity:
//
//  1. a named column is compared with the named claim, or the value that a policy
//     compares it with, or the claim of its name;
//  2. else a row is the identity's own where one of the conditions holds by which a
//     policy for this verb and role ties a row to the session: column = auth.uid(), or
//     a subquery or a function of the row. Rows that are let through by conditions of
//     another kind alone, shown, true, are then foreign.
//
// why says what is missing where there is no answer: a policy that lets everybody in
// tells nothing of tenants, and neither does one that knows the session as privileged.
func (t *trial) whose(named string) (_ tenant, why string, err error) {
	if t.claims == "" && t.id.Role == anonymous {
		return tenant{}, "anon has no claims that tell whose a row is", nil
	}
	column, claim, _ := strings.Cut(named, "=")
	if column == "" {
		return t.tied()
	}
	if t.rel.Column(column) == nil {
		return tenant{}, "the table has no column " + column, nil
	}
	if claim == "" {
		if got, err := t.compared(column); got.column != "" || err != nil {
			return got, "", err
		}
		claim = column
	}
	v, ok := claimAt(t.claims, claim)
	if !ok {
		return tenant{}, fmt.Sprintf("the claims have no %s to compare %s with: --tenant-column %s=CLAIM names it", claim, column, column), nil
	}
	return tenant{column: column, value: literal(v)}, "", nil
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

// arms are what the permissive policies for the verb and role let a row through by.
func (t *trial) arms() (out []pgast.Expr) {
	for _, p := range t.rel.Policies {
		if p.Command != "all" && p.Command != t.cell.Verb || !p.Permissive || !applies(p, t.id.Role) {
			continue
		}
		text := p.Using
		if t.cell.Verb == "insert" && p.HasCheck {
			text = p.Check
		}
		if e, err := pgast.ParseExpr(text); err == nil && text != "" {
			out = append(out, pgast.Flatten(e, pgast.Or)...)
		}
	}
	return out
}

// compared is the value that a policy compares a column with.
func (t *trial) compared(column string) (tenant, error) {
	for _, arm := range t.arms() {
		for _, c := range pgast.Flatten(arm, pgast.And) {
			name, of := t.equality(c)
			if of == nil || name != column {
				continue
			}
			v, err := t.literal(t.id, of)
			if err != nil {
				return tenant{}, err
			}
			if !isNull(v) {
				return tenant{column: name, value: pgast.Format(v)}, nil
			}
		}
	}
	return tenant{}, nil
}

// tied takes the arms apart.
func (t *trial) tied() (_ tenant, why string, err error) {
	var ties []pgast.Expr
	var texts []string
	for _, arm := range t.arms() {
		if sessionOnly(arm) {
			v, err := t.literal(t.id, arm)
			if err != nil {
				return tenant{}, "", err
			}
			if c, ok := pgast.Uncast(v).(*pgast.Const); ok && (c.Text == "true" || c.Text == "t") {
				return tenant{}, fmt.Sprintf("%s holds for this session, whoever a row belongs to: name a column with --tenant-column", pgast.Format(arm)), nil
			}
			continue
		}
		if t.ties(arm) {
			texts, ties = append(texts, pgast.Format(arm)), append(ties, arm)
		}
	}
	if len(ties) == 0 {
		return tenant{}, "no policy for " + t.cell.Verb + " ties a row to the session: name a column with --tenant-column, or say --shared " + t.rel.Name.Short(), nil
	}
	if name, of := t.equality(ties[0]); of != nil && len(ties) == 1 {
		v, err := t.literal(t.id, of)
		switch {
		case err != nil:
			return tenant{}, "", err
		case isNull(v):
			return tenant{}, fmt.Sprintf("%s is null in this session, and %s is compared with it", pgast.Format(of), name), nil
		}
		return tenant{column: name, value: pgast.Format(v)}, "", nil
	}
	var e pgast.Expr = &pgast.Bool{At: -1, Kind: pgast.Or, Args: ties}
	if len(ties) == 1 {
		e = ties[0]
	}
	in := &inliner{cat: t.cat, role: t.id.Role, literal: func(e pgast.Expr) (pgast.Expr, error) { return t.literal(t.id, e) }}
	e = in.literals(e)
	in.node(&pgast.Select{At: -1, Where: e}, 1)
	return tenant{own: pgast.Format(e), text: strings.Join(texts, " or ")}, "", in.err
}

// clock are functions that depend on when, and not on who.
var clock = []string{"now", "statement_timestamp", "transaction_timestamp", "current_date"}

// ties reports whether an arm has a condition on the row that depends on the session:
// the two are compared, or a subquery or a function of the schema's stands between.
func (t *trial) ties(arm pgast.Expr) bool {
	return slices.ContainsFunc(pgast.Flatten(arm, pgast.And), func(c pgast.Expr) bool {
		if sessionOnly(c) {
			return false
		}
		found := false
		pgast.Walk(c, func(n pgast.Node) bool {
			switch n := n.(type) {
			case *pgast.SubLink:
				found = true
			case *pgast.FuncCall:
				schema := ""
				if len(n.Name) > 1 {
					schema = n.Name[len(n.Name)-2]
				}
				found = found || sessionOnly(n) && !slices.Contains(clock, n.Name[len(n.Name)-1]) || len(t.cat.ResolveFunctions(schema, n.Name[len(n.Name)-1], nil)) > 0
			case *pgast.ValueFunc:
				found = found || !strings.HasPrefix(n.Name, "CURRENT_DATE") && !strings.Contains(n.Name, "TIME")
			}
			return !found
		})
		return found
	})
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
	c, ok := pgast.Uncast(e).(*pgast.Const)
	return ok && c.Kind == pgast.ConstNull
}

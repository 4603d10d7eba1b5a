package explain

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/planvet/planvet/catalog"
	"github.com/planvet/planvet/internal/confirm"
	"github.com/planvet/planvet/internal/live"
)

// Verbs of the matrix, in its order.
var Verbs = []string{"select", "insert", "update", "delete"}

// Outcomes of a cell of the matrix.
const (
	// OK is a cell in which no foreign row was seen or changed.
	OK = "ok"
	// Leak is one in which a foreign tenant's row was.
	Leak = "leak"
	// Undecided is one of which nobody can tell, or which was not tried.
	Undecided = "inconclusive"
	// Denied is one in which the role lacks the right, or a policy refused the row.
	Denied = "denied"
)

// Matrix is what each identity may do with each table, and what it costs. Its JSON
// form is a machine format.
type Matrix struct {
	Version int    `json:"version"`
	Server  string `json:"server"`
	Where   string `json:"where"`
	Cells   []Cell `json:"cells"`
}

// Cell is one identity, table and verb.
type Cell struct {
	// Identity numbers the claims from 1; 0 has none.
	Identity int    `json:"identity"`
	Role     string `json:"role"`
	Claims   string `json:"claims,omitempty"`
	Table    string `json:"table"`
	Verb     string `json:"verb"`
	// MS, Blocks and Rows are of a select on, an update or a delete of all of the table,
	// and of the insert of one row.
	MS     float64 `json:"ms"`
	Blocks int64   `json:"blocks"`
	Rows   int64   `json:"rows"`
	// Tenant is the column that tells whose a row is, and the identity's value.
	Tenant string `json:"tenant,omitempty"`
	// Foreign counts rows of Rows whose tenant is another; nil where that cannot be
	// told.
	Foreign *int64 `json:"foreign"`
	Outcome string `json:"outcome"`
	// Reason is why, where the outcome is not OK.
	Reason string `json:"reason,omitempty"`
	// WithTo is the same read where the policies for every role name their role by TO:
	// for roles that see nothing by them.
	WithTo *Arm `json:"with_to,omitempty"`
}

// MatrixOptions say whose rights are tried.
type MatrixOptions struct {
	// Role is that of the identities with claims; "" takes authenticated, or a role
	// that the policies name.
	Role string
	// Claims are JSON objects, one an identity; without any, two are drawn from the rows
	// of a server of planvet's own. anon, where it exists, comes without claims.
	Claims   []string
	Settings map[string]string
	Tables   []string
	// Tenant names the column that tells whose a row is, COLUMN or COLUMN=CLAIM; ""
	// takes the column that the policies compare with the session.
	Tenant string
	// Shared are tables whose rows are meant for other tenants too.
	Shared []string
	// Writes tries insert, update and delete; the session must be writable, and all is
	// rolled back.
	Writes bool
	Own    bool
	// Vet decides what may run where Own is not set.
	Vet live.VetOptions
}

// MeasureMatrix tries each verb on each table as each identity.
func MeasureMatrix(ctx context.Context, s *live.Session, cat *catalog.Catalog, o MatrixOptions) ([]Cell, error) {
	rels, err := withPolicies(cat, o.Tables)
	if err != nil {
		return nil, err
	}
	ids, err := o.identities(ctx, s, cat, rels)
	if err != nil {
		return nil, err
	}
	out := []Cell{}
	for _, rel := range rels {
		for _, id := range ids {
			cells, err := tryTable(ctx, s, cat, rel, id, o)
			if err != nil {
				return nil, fmt.Errorf("trying %s as %s: %w", rel.Name.Short(), id.Role, err)
			}
			out = append(out, cells...)
		}
	}
	return out, nil
}

// claimed is an identity of the matrix.
type claimed struct {
	Identity
	n      int
	claims string
}

// identities are anon and one a claim.
func (o MatrixOptions) identities(ctx context.Context, s *live.Session, cat *catalog.Catalog, rels []*catalog.Relation) ([]claimed, error) {
	role := o.Role
	if role == "" {
		role = roleFor(cat, rels)
	}
	if role == "" {
		if !o.Own {
			return nil, errors.New("no policy names a role: say as whom with --role")
		}
		role = probeRole
	}
	var out []claimed
	if _, ok := cat.Roles[anonymous]; ok && role != anonymous {
		out = append(out, claimed{Identity{anonymous, o.settings(`{"role":"` + anonymous + `"}`)}, 0, ""})
	}
	for i, c := range o.Claims {
		out = append(out, claimed{Identity{role, o.settings(c)}, i + 1, c})
	}
	if o.Own {
		for _, name := range []string{role, anonymous} {
			if _, ok := cat.Roles[name]; !ok && name == anonymous {
				continue
			}
			if err := admit(ctx, s, cat, name); err != nil {
				return nil, err
			}
		}
	}
	switch {
	case len(o.Claims) > 0:
	case o.Own:
		// Two that the rows of the tables know.
		sets, _ := confirm.Sessions(ctx, cat, role, rootsFirst(rels), confirm.Options{Server: s, Role: role, Settings: o.Settings})
		for i, settings := range sets[:min(len(sets), 2)] {
			out = append(out, claimed{Identity{role, settings}, i + 1, settings["request.jwt.claims"]})
		}
	default:
		out = append(out, claimed{Identity{role, o.settings("")}, 0, ""})
	}
	return out, nil
}

// rootsFirst sorts tables by how many of them refer to each: a tenant's identity comes
// from the table of tenants, where the other tables' rows belong to somebody.
func rootsFirst(rels []*catalog.Relation) []*catalog.Relation {
	referred := map[catalog.Name]int{}
	for _, r := range rels {
		for _, k := range r.Constraints {
			if k.Kind == catalog.ForeignKey && k.References != r.Name {
				referred[k.References]++
			}
		}
	}
	out := slices.Clone(rels)
	slices.SortStableFunc(out, func(a, b *catalog.Relation) int { return cmp.Compare(referred[b.Name], referred[a.Name]) })
	return out
}

func (o MatrixOptions) settings(claims string) map[string]string {
	out := map[string]string{}
	for name, v := range o.Settings {
		out[name] = v
	}
	if claims != "" {
		out["request.jwt.claims"] = claims
	}
	return out
}

// tryTable tries the verbs on one table as one identity, each rolled back.
func tryTable(ctx context.Context, s *live.Session, cat *catalog.Catalog, rel *catalog.Relation, id claimed, o MatrixOptions) ([]Cell, error) {
	var out []Cell
	for _, verb := range Verbs {
		c := Cell{Identity: id.n, Role: id.Role, Claims: id.claims, Table: rel.Name.Short(), Verb: verb, Outcome: OK}
		if err := s.Begin(ctx); err != nil {
			return nil, err
		}
		t := &trial{asker: asker{ctx: ctx, s: s}, cat: cat, rel: rel, id: id.Identity, claims: id.claims, cell: &c, own: o.Own}
		if !o.Own {
			vet := o.Vet
			vet.Writes = o.Writes
			t.vet = &vet
		}
		err := t.run(o)
		if ctx.Err() != nil || s.Conn().IsClosed() {
			return nil, errors.Join(err, ctx.Err())
		}
		if err != nil {
			c.Outcome, c.Reason = Undecided, message(err)
			if live.Code(err) == insufficientPrivilege {
				c.Outcome = Denied
			}
		}
		if err := s.Rollback(ctx); err != nil {
			return nil, err
		}
		out = append(out, c)
	}
	return out, nil
}

const notTried = "writes were not tried: they are on a throwaway server, or with --analyze-writes on a server of this machine"

// insufficientPrivilege is the SQLSTATE of a missing right and of a row that WITH CHECK
// refuses.
const insufficientPrivilege = "42501"

// trial is one cell being tried.
type trial struct {
	asker
	cat    *catalog.Catalog
	rel    *catalog.Relation
	id     Identity
	claims string
	cell   *Cell
	tenant tenant
	own    bool
}

// run fills in the cell:
//
//  1. what tells whose a row is, is worked out in the identity's session;
//  2. the statement runs as the identity and is measured;
//  3. foreign rows among those read are counted as the identity, among those changed
//     as the session's own role, whom no policy keeps from seeing them.
func (t *trial) run(o MatrixOptions) (err error) {
	var why string
	if t.tenant, why, err = t.whose(o.Tenant); err != nil {
		return err
	}
	t.cell.Tenant = t.tenant.String()
	shared := false
	for _, name := range o.Shared {
		shared = shared || name == t.rel.Name.Short() || name == t.rel.Name.String()
	}
	switch {
	case t.cell.Verb == "select":
		err = t.read()
	case !o.Writes:
		return errors.New(notTried)
	case t.cell.Verb == "insert" && len(t.policies()) == 0:
		// Other verbs find no row then, which is measured.
		t.cell.Outcome, t.cell.Reason = Denied, "no policy lets it insert"
		return nil
	case t.cell.Verb == "insert":
		err = t.insert(why)
	default:
		err = t.change()
	}
	if err != nil {
		return err
	}
	switch {
	case t.cell.Foreign != nil && *t.cell.Foreign > 0 && shared:
		t.cell.Reason = fmt.Sprintf("%d rows of other tenants, by --shared", *t.cell.Foreign)
	case t.cell.Foreign != nil && *t.cell.Foreign > 0:
		t.cell.Outcome = Leak
		t.cell.Reason = fmt.Sprintf("%d rows %s; policies: %s; --shared %s where that is meant", *t.cell.Foreign, t.tenant.says(), strings.Join(t.policies(), ", "), t.cell.Table)
	case t.cell.Foreign == nil && t.cell.Rows > 0 && !shared:
		t.cell.Outcome, t.cell.Reason = Undecided, why
	}
	return nil
}

// policies names those that let the identity do it.
func (t *trial) policies() []string {
	var out []string
	for _, p := range t.rel.Policies {
		if (p.Command == "all" || p.Command == t.cell.Verb) && p.Permissive && applies(p, t.id.Role) {
			out = append(out, p.Name)
		}
	}
	return out
}

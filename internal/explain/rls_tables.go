package explain

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/planvet/planvet/catalog"
	"github.com/planvet/planvet/internal/confirm"
	"github.com/planvet/planvet/internal/live"
	"github.com/planvet/planvet/internal/pgast"
)

// OverheadReport is what row security costs the statements or tables of a server.
// Its JSON form is a machine format.
type OverheadReport struct {
	Version int    `json:"version"`
	Server  string `json:"server"`
	// Where is host and database, or "shadow".
	Where string `json:"where"`
	// Tables are sorted, the one that pays most first; those without a figure last.
	Tables []TableOverhead `json:"tables"`
}

// TableOverhead is the overhead of one statement, a probe of a table or the user's.
type TableOverhead struct {
	// Table is "" for a statement of the user's.
	Table string `json:"table,omitempty"`
	SQL   string `json:"sql"`
	// Settings are what the session held; claims among them.
	Settings map[string]string `json:"settings"`
	Overhead
}

// TablesOptions say which tables are measured, and as whom.
type TablesOptions struct {
	// Role is the role; "" takes authenticated where it exists, else a role that the
	// table's policies name.
	Role string
	// Claims is a JSON object, Settings are session settings.
	Claims   string
	Settings map[string]string
	// Tables are schema.name or name; none takes every table with policies.
	Tables []string
	// SQL is measured instead of tables, with Args.
	SQL  string
	Args []*string
	// Own is set on a server of planvet's own: identities are drawn from its rows, roles
	// are made and given rights, remedies are applied.
	Own bool
	// Vet decides what may run where Own is not set; Estimate, where not nil, tells there
	// what remedies give.
	Estimate *Estimator
	Vet      live.VetOptions
	// Timeout bounds each run.
	Timeout  time.Duration
	Progress func(string)
}

// MeasureTables measures the overhead of a select on each table with policies, or of
// one statement.
func MeasureTables(ctx context.Context, s *live.Session, cat *catalog.Catalog, o TablesOptions) ([]TableOverhead, error) {
	rels, err := withPolicies(cat, o.Tables)
	if err != nil {
		return nil, err
	}
	if o.SQL != "" {
		rels = nil
		for _, n := range tablesOf(cat, o.SQL, nil) {
			rels = append(rels, cat.Relation(n.Schema, n.Name))
		}
		one, err := measureOne(ctx, s, cat, o, o.SQL, rels)
		return []TableOverhead{one}, err
	}
	out := []TableOverhead{}
	for _, r := range rels {
		if o.Progress != nil {
			o.Progress("measuring row security on " + r.Name.Short())
		}
		one, err := measureOne(ctx, s, cat, o, "select * from "+identOf(r.Name), []*catalog.Relation{r})
		if err != nil {
			return nil, fmt.Errorf("measuring row security on %s: %w", r.Name.Short(), err)
		}
		one.Table = r.Name.Short()
		out = append(out, one)
	}
	SortOverheads(out)
	return out, nil
}

// SortOverheads sorts by overhead, what has no figure last.
func SortOverheads(ts []TableOverhead) {
	slices.SortStableFunc(ts, func(a, b TableOverhead) int {
		if a.SameRows != b.SameRows {
			return map[bool]int{true: -1, false: 1}[a.SameRows]
		}
		return cmp.Or(cmp.Compare(b.MS, a.MS), cmp.Compare(a.Table, b.Table))
	})
}

func measureOne(ctx context.Context, s *live.Session, cat *catalog.Catalog, o TablesOptions, sql string, rels []*catalog.Relation) (TableOverhead, error) {
	out := TableOverhead{SQL: sql, Settings: map[string]string{}}
	out.Policies = []PolicyCost{}
	id, problem, err := identity(ctx, s, cat, o, rels)
	out.Role, out.Settings = id.Role, id.Settings
	if problem != "" || err != nil {
		out.Problem = problem
		return out, err
	}
	opts := OverheadOptions{Identity: id, Args: o.Args, Timeout: o.Timeout, Remedies: o.Own}
	if !o.Own {
		opts.Vet, opts.Estimate = &o.Vet, o.Estimate
	}
	res, err := MeasureOverhead(ctx, s, cat, sql, opts)
	if res != nil {
		out.Overhead = *res
	}
	return out, err
}

// identity is who asks for tables: role and settings. On a server of planvet's own the
// role is made and given its rights for good.
func identity(ctx context.Context, s *live.Session, cat *catalog.Catalog, o TablesOptions, rels []*catalog.Relation) (id Identity, problem string, err error) {
	id = Identity{o.Role, map[string]string{}}
	if id.Role == "" {
		id.Role = roleFor(cat, rels)
	}
	if id.Role == "" && o.Own {
		id.Role = probeRole
	}
	if id.Role == "" {
		return id, "no policy names a role: say as whom with --role", nil
	}
	settings := map[string]string{}
	for name, v := range o.Settings {
		settings[name] = v
	}
	if !o.Own {
		if o.Claims != "" {
			settings["request.jwt.claims"] = o.Claims
		}
		id.Settings = settings
		return id, "", nil
	}
	if err := admit(ctx, s, cat, id.Role); err != nil {
		return id, "", err
	}
	if _, ok := cat.Roles[anonymous]; ok { // it is asked what TO gives
		if err := admit(ctx, s, cat, anonymous); err != nil {
			return id, "", err
		}
	}
	sets, problem := confirm.Sessions(ctx, cat, id.Role, rels, confirm.Options{Server: s, Role: id.Role, Claims: o.Claims, Settings: settings})
	id.Settings = sets[0]
	return id, problem, nil
}

// probeRole stands for public where a project has no role of its own.
const probeRole = "planvet_probe"

// admit makes a role where it is missing and gives it the rights that policies do not
// withhold: who may read a table decides nothing about what reading it costs.
func admit(ctx context.Context, s *live.Session, cat *catalog.Catalog, role string) error {
	if _, ok := cat.Roles[role]; !ok {
		if _, err := s.Conn().PgConn().Exec(ctx, "do $$ begin create role "+quoted(role)+" nologin; exception when duplicate_object then null; end $$").ReadAll(); err != nil {
			return fmt.Errorf("making the role %s: %w", role, err)
		}
	}
	if _, err := s.Conn().PgConn().Exec(ctx, confirm.GrantAll(cat, role)).ReadAll(); err != nil {
		return fmt.Errorf("giving %s its rights: %w", role, err)
	}
	return nil
}

// roleFor is the role to ask as: Supabase's authenticated, else the first that the
// policies name; "" when they are for everybody.
func roleFor(cat *catalog.Catalog, rels []*catalog.Relation) string {
	if r, ok := cat.Roles["authenticated"]; ok && !r.BypassRLS {
		return "authenticated"
	}
	for _, r := range rels {
		for _, p := range r.Policies {
			for _, role := range p.Roles {
				if role != "public" {
					return role
				}
			}
		}
	}
	return ""
}

// withPolicies are the tables whose policies bind somebody: those named, else all.
func withPolicies(cat *catalog.Catalog, names []string) ([]*catalog.Relation, error) {
	var out []*catalog.Relation
	found := map[string]bool{}
	for _, r := range cat.Relations() {
		named := slices.ContainsFunc(names, func(n string) bool {
			hit := n == r.Name.String() || n == r.Name.Short() || !strings.Contains(n, ".") && n == r.Name.Name
			if hit {
				found[n] = true
			}
			return hit
		})
		if len(names) > 0 && !named || !r.IsTable() || r.Stub {
			continue
		}
		if r.RLSEnabled && len(r.Policies) > 0 {
			out = append(out, r)
		} else if named {
			return nil, fmt.Errorf("table %s has no policies in force", r.Name.Short())
		}
	}
	for _, n := range names {
		if !found[n] {
			return nil, fmt.Errorf("table %s is not there", n)
		}
	}
	return out, nil
}

// identOf names a table in a statement, quoted where it needs it.
func identOf(n catalog.Name) string {
	t := &pgast.Table{At: -1, Schema: n.Schema, Name: n.Name}
	if n.Schema == "public" {
		t.Schema = ""
	}
	return pgast.Format(t)
}

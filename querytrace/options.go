package querytrace

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/planvet/planvet/internal/slope"
)

// Option changes what [Slope] does.
type Option func(*options) error

type options struct {
	limit   float64
	members bool
	out     string
	allowed []*allowance
}

// allowance lets the calls of a statement, or of a caller, grow.
type allowance struct {
	fingerprint, caller string
	name                string // as the user wrote it
	used                bool
}

func newOptions(opts []Option) (options, error) {
	o := options{limit: slope.Limit, out: os.Getenv("QUERYTRACE_OUT")}
	for _, opt := range opts {
		if err := opt(&o); err != nil {
			return o, err
		}
	}
	return o, nil
}

// Limit sets the slope, in statements an item, that fails; 0.9 without it. A loop that
// asks for every third item needs 0.3.
func Limit(perItem float64) Option {
	return func(o *options) error {
		if perItem <= 0 {
			return fmt.Errorf("a limit of %v statements an item: it has to be above 0", perItem)
		}
		o.limit = perItem
		return nil
	}
}

// CountBatched counts the statements of a pgx.Batch each, and not the batch.
func CountBatched() Option {
	return func(o *options) error { o.members = true; return nil }
}

// Out writes what was recorded to a file in dir, as QUERYTRACE_OUT does; see the format
// in docs/querytrace.md.
func Out(dir string) Option {
	return func(o *options) error { o.out = dir; return nil }
}

// Allow lets a statement grow with the items; literals and parameters in sql do not
// matter. An allowance without a reason, or that nothing needs, fails the test.
func Allow(sql, reason string) Option {
	return allow(&allowance{fingerprint: newShape(sql, false).fingerprint, name: clip(plain(sql))}, reason)
}

// AllowCaller lets grow what a place sends, itself or through what it calls: a function
// ("store.PlayersAtTable", with or without the folders of its package), a file, or
// "file:line", the file relative to its module.
func AllowCaller(place, reason string) Option {
	return allow(&allowance{caller: place, name: place}, reason)
}

func allow(a *allowance, reason string) Option {
	return func(o *options) error {
		if strings.TrimSpace(reason) == "" {
			return errors.New("the allowance of " + a.name + " has no reason")
		}
		o.allowed = append(o.allowed, a)
		return nil
	}
}

func (a *allowance) covers(g *groupOf, s *site) bool {
	if a.caller == "" {
		return a.fingerprint == g.fingerprint
	}
	for _, f := range s.stack {
		at := fmt.Sprintf("%s:%d", f.File, f.Line)
		if f.Func == a.caller || strings.HasSuffix(f.Func, "/"+a.caller) || f.File == a.caller || at == a.caller {
			return true
		}
	}
	return false
}

// allowances judges the groups that fail again without the calls that are allowed, and
// complains of allowances that none of them needs.
func (o *options) allowances(r *result, sizes []int, groups []*groupOf) {
	for _, g := range groups {
		if !fails(g) && g.verdict.Growth != slope.Slower {
			continue
		}
		var left []*site
		for _, s := range g.sites {
			covered := false
			for _, a := range o.allowed {
				if a.covers(g, s) {
					covered, a.used = true, true
				}
			}
			if !covered {
				left = append(left, s)
			}
		}
		if len(left) < len(g.sites) {
			g.keep(left)
		}
	}
	judge(sizes, groups, o.limit)
	for _, a := range o.allowed {
		if !a.used {
			r.errors = append(r.errors, fmt.Sprintf("the allowance of %s is not needed: nothing that it covers grows; remove it", a.name))
		}
	}
}

// keep leaves the calls of these sites alone in g. Its rows stay: they are those that
// other statements may follow.
func (g *groupOf) keep(sites []*site) {
	g.sites = sites
	for run := range g.calls {
		g.calls[run] = 0
		for _, s := range sites {
			g.calls[run] += s.calls[run]
		}
	}
}

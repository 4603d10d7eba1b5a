package engine

import (
	"cmp"
	"slices"

	"github.com/planvet/planvet/internal/config"
	"github.com/planvet/planvet/rules"
	"github.com/planvet/planvet/rules/all"
	"github.com/planvet/planvet/sqllint"
)

// checkRuleNames reports a name of a rule or a group, in config or in the options, that
// stands for nothing.
func checkRuleNames(c *config.Config, asked []string) error {
	if err := c.CheckRules(all.Names(), all.GroupNames()); err != nil {
		return &Error{Usage, err}
	}
	known := slices.Concat(all.Names(), all.GroupNames())
	for _, name := range asked {
		if !slices.Contains(known, name) {
			return usagef("unknown rule or group %q%s; `planvet rules` lists them", name, config.Hint(name, known))
		}
	}
	return nil
}

// setting is what config says of a rule: what it says of the rule itself stands before
// what it says of its group, and that before what it says of all.
func (p *Project) setting(rule string) config.Rule {
	out := p.Config.Rules[rule]
	r := all.Lookup(rule)
	if r == nil {
		return out
	}
	for _, name := range []string{r.Group, all.Everything} {
		wider := p.Config.Rules[name]
		if !out.On && !out.Off {
			out.On, out.Off = wider.On, wider.Off
		}
		out.Severity = cmp.Or(out.Severity, wider.Severity)
	}
	return out
}

// enabled reports whether a rule runs, by the command line, then config, then its
// own default.
func (p *Project) enabled(rule string) bool {
	r := all.Lookup(rule)
	if r == nil {
		return false
	}
	if len(p.opts.Rules) > 0 {
		return slices.ContainsFunc(p.opts.Rules, func(name string) bool { return all.Covers(name, r) })
	}
	switch s := p.setting(rule); {
	case s.Off:
		return false
	case s.On:
		return true
	}
	return !r.Off
}

// Off are the rules that do not run, sorted: those that are switched off, and the one on
// pools where nothing tells of a pool.
func (p *Project) Off() []string {
	var out []string
	for _, name := range all.Names() {
		if !p.enabled(name) || name == sqllint.PoolSessionState.Name && p.pooling() == nil {
			out = append(out, name)
		}
	}
	return out
}

// wholeRuleSet reports whether every rule runs on the whole project: only then
// can an unused suppression be told from one whose rule did not run.
func (p *Project) wholeRuleSet() bool {
	if len(p.opts.Rules) > 0 || p.opts.NoGo {
		return false
	}
	return !slices.ContainsFunc(all.All(), func(r *rules.Rule) bool { return !r.Off && !p.enabled(r.Name) })
}

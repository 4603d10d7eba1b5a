package config

import (
	"fmt"
	"slices"
	"strings"

	"github.com/goccy/go-yaml/ast"
)

// field is one key of a mapping: its name, and how its value is read.
type field[T any] struct {
	name string
	read func(r *reader, to *T, path string, n ast.Node)
}

// top are the keys of planvet.yaml. planvet.schema.json has the same.
var top = []field[Config]{
	{"version", func(r *reader, c *Config, path string, n ast.Node) { c.Version = int(r.count(path, n)) }},
	{"databases", readDatabases},
	{"migrations", func(r *reader, c *Config, path string, n ast.Node) { c.Migrations = r.strings(path, n) }},
	{"go", func(r *reader, c *Config, path string, n ast.Node) { c.Go = r.strings(path, n) }},
	{"exclude", func(r *reader, c *Config, path string, n ast.Node) { c.Exclude = r.strings(path, n) }},
	{"queries", func(r *reader, c *Config, path string, n ast.Node) { c.Queries = r.strings(path, n) }},
	{"rules", readRules},
	{"fail_on", func(r *reader, c *Config, path string, n ast.Node) {
		c.FailOn = r.oneOf(path, n, "error", "warning", "info", "never")
	}},
	{"roles", func(r *reader, c *Config, path string, n ast.Node) { c.Roles = r.texts(path, n) }},
	{"tables", readTables},
	{"statistics", func(r *reader, c *Config, path string, n ast.Node) { c.Statistics = r.str(path, n) }},
	{"postgres", func(r *reader, c *Config, path string, n ast.Node) {
		if c.Postgres = int(r.count(path, n)); r.err == nil && (c.Postgres < 13 || c.Postgres > 18) {
			r.fail(n, "postgres: %d is not a supported major version: use 13 to 18", c.Postgres)
		}
	}},
	{"claims", func(r *reader, c *Config, path string, n ast.Node) {
		if m, ok := r.value(path, n).(map[string]any); ok {
			c.Claims = m
		} else if !isNull(r.bare(n)) {
			r.fail(n, "claims must be a mapping")
		}
	}},
	{"settings", func(r *reader, c *Config, path string, n ast.Node) { c.Settings = r.texts(path, n) }},
	{"search_path", func(r *reader, c *Config, path string, n ast.Node) { c.SearchPath = r.strings(path, n) }},
	{"spec_refs", func(r *reader, c *Config, path string, n ast.Node) {
		c.SpecRefs = map[string]string{}
		r.mapping(path, n, func(key string, at, v ast.Node) {
			c.SpecRefs[key] = r.str(path+"."+key, v)
			c.places["spec_refs."+key] = at.GetToken().Position.Line
		})
	}},
	{"confirm", func(r *reader, c *Config, path string, n ast.Node) { read(r, confirmFields, &c.Confirm, path, n) }},
}

var databaseFields = []field[Database]{
	{"migrations", func(r *reader, d *Database, path string, n ast.Node) { d.Migrations = r.strings(path, n) }},
	{"schema", func(r *reader, d *Database, path string, n ast.Node) { d.Schema = r.str(path, n) }},
	{"roles", func(r *reader, d *Database, path string, n ast.Node) { d.Roles = r.texts(path, n) }},
	{"statistics", func(r *reader, d *Database, path string, n ast.Node) { d.Statistics = r.str(path, n) }},
}

var ruleFields = []field[Rule]{
	{"severity", func(r *reader, u *Rule, path string, n ast.Node) {
		u.Severity = r.oneOf(path, n, "error", "warning", "info")
	}},
	{"enabled", func(r *reader, u *Rule, path string, n ast.Node) {
		b, ok := r.bare(n).(*ast.BoolNode)
		if !ok {
			r.fail(n, "%s must be true or false", path)
			return
		}
		u.On, u.Off = b.Value, !b.Value
	}},
}

var tableFields = []field[Table]{
	{"rows", func(r *reader, t *Table, path string, n ast.Node) {
		rows := r.count(path, n)
		t.Rows = &rows
	}},
	{"width", func(r *reader, t *Table, path string, n ast.Node) { t.Width = int(min(r.count(path, n), 1<<20)) }},
	{"distinct", func(r *reader, t *Table, path string, n ast.Node) {
		t.Distinct = map[string]int64{}
		r.mapping(path, n, func(key string, _, v ast.Node) { t.Distinct[key] = r.count(join(path, key), v) })
	}},
	{"recent", func(r *reader, t *Table, path string, n ast.Node) { t.Recent = r.strings(path, n) }},
}

var confirmFields = []field[Confirm]{
	{"rows", func(r *reader, c *Confirm, path string, n ast.Node) { c.Rows = r.count(path, n) }},
}

// Parse reads a config's text; name stands in errors.
func Parse(name string, text []byte) (*Config, error) {
	c := &Config{File: name, Version: 1, Databases: map[string]Database{}, places: map[string]int{}}
	r := &reader{file: name, anchors: map[string]ast.Node{}}
	root := r.parse(text)
	if r.err == nil && root != nil {
		c.Version = 0
		read(r, top, c, "", root)
		if r.err == nil && c.Version == 0 {
			r.fail(nil, "no version: begin with \"version: 1\"")
		}
		if c.Version != 1 {
			r.fail(nil, "version %d is not one that this planvet reads: use 1", c.Version)
		}
	}
	if r.err != nil {
		return nil, r.err
	}
	if len(c.Migrations) > 0 {
		if len(c.Databases) > 0 {
			return nil, fmt.Errorf("%s: migrations and databases exclude each other: put the migrations into a database", name)
		}
		c.Databases["default"] = Database{Migrations: c.Migrations}
	}
	return c, nil
}

// read fills to from a mapping with the given fields.
func read[T any](r *reader, fields []field[T], to *T, path string, n ast.Node) {
	what := path
	if what == "" {
		what = "the config"
	}
	r.mapping(what, n, func(key string, at, v ast.Node) {
		for _, f := range fields {
			if f.name == key {
				f.read(r, to, join(path, key), v)
				return
			}
		}
		var names []string
		for _, f := range fields {
			names = append(names, f.name)
		}
		r.fail(at, "unknown key %q%s%s", join(path, key), Hint(key, names), allowed(key, names))
	})
}

// allowed lists the keys where none of them is near.
func allowed(key string, names []string) string {
	if Hint(key, names) != "" {
		return ""
	}
	return ": the keys here are " + strings.Join(slices.Sorted(slices.Values(names)), ", ")
}

func join(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}

func (r *reader) oneOf(path string, n ast.Node, names ...string) string {
	s := r.str(path, n)
	if r.err == nil && !slices.Contains(names, s) {
		r.fail(n, "%s: %q is not one of %s", path, s, strings.Join(names, ", "))
	}
	return s
}

func readDatabases(r *reader, c *Config, path string, n ast.Node) {
	r.mapping(path, n, func(key string, at, v ast.Node) {
		var d Database
		read(r, databaseFields, &d, join(path, key), v)
		if r.err == nil && len(d.Migrations) == 0 && d.Schema == "" {
			r.fail(at, "%s has neither migrations nor schema", join(path, key))
		}
		c.Databases[key] = d
	})
}

// readRules reads rules: NAME: off, NAME: error, NAME: {severity: info}.
func readRules(r *reader, c *Config, path string, n ast.Node) {
	c.Rules = map[string]Rule{}
	r.mapping(path, n, func(key string, at, v ast.Node) {
		c.places["rules."+key] = at.GetToken().Position.Line
		var u Rule
		switch b := r.bare(v).(type) {
		case *ast.BoolNode:
			u.On, u.Off = b.Value, !b.Value
		case *ast.MappingNode, *ast.MappingValueNode:
			read(r, ruleFields, &u, join(path, key), v)
		default:
			switch s := r.oneOf(join(path, key), v, "off", "on", "error", "warning", "info"); s {
			case "off":
				u.Off = true
			case "on":
				u.On = true
			default:
				u.Severity = s
			}
		}
		if u.Severity != "" && !u.Off {
			u.On = true
		}
		c.Rules[key] = u
	})
}

func readTables(r *reader, c *Config, path string, n ast.Node) {
	c.Tables = map[string]Table{}
	r.mapping(path, n, func(key string, _, v ast.Node) {
		var t Table
		read(r, tableFields, &t, join(path, key), v)
		c.Tables[key] = t
	})
}

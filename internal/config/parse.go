package config

import (
	"fmt"

	"github.com/goccy/go-yaml/ast"

	"github.com/planvet/planvet/internal/strictyaml"
)

// top are the keys of planvet.yaml. planvet.schema.json has the same.
var top = []strictyaml.Field[Config]{
	{Name: "version", Read: func(r *strictyaml.Reader, c *Config, path string, n ast.Node) { c.Version = int(r.Count(path, n)) }},
	{Name: "databases", Read: readDatabases},
	{Name: "migrations", Read: func(r *strictyaml.Reader, c *Config, path string, n ast.Node) { c.Migrations = r.Strings(path, n) }},
	{Name: "go", Read: func(r *strictyaml.Reader, c *Config, path string, n ast.Node) { c.Go = r.Strings(path, n) }},
	{Name: "exclude", Read: func(r *strictyaml.Reader, c *Config, path string, n ast.Node) { c.Exclude = r.Strings(path, n) }},
	{Name: "queries", Read: func(r *strictyaml.Reader, c *Config, path string, n ast.Node) { c.Queries = r.Strings(path, n) }},
	{Name: "rules", Read: readRules},
	{Name: "fail_on", Read: func(r *strictyaml.Reader, c *Config, path string, n ast.Node) {
		c.FailOn = r.OneOf(path, n, "error", "warning", "info", "never")
	}},
	{Name: "roles", Read: func(r *strictyaml.Reader, c *Config, path string, n ast.Node) { c.Roles = r.Texts(path, n) }},
	{Name: "tables", Read: readTables},
	{Name: "statistics", Read: func(r *strictyaml.Reader, c *Config, path string, n ast.Node) { c.Statistics = r.Str(path, n) }},
	{Name: "postgres", Read: func(r *strictyaml.Reader, c *Config, path string, n ast.Node) {
		if c.Postgres = int(r.Count(path, n)); r.Err == nil && (c.Postgres < 13 || c.Postgres > 18) {
			r.Fail(n, "postgres: %d is not a supported major version: use 13 to 18", c.Postgres)
		}
	}},
	{Name: "claims", Read: func(r *strictyaml.Reader, c *Config, path string, n ast.Node) {
		if m, ok := r.Value(path, n).(map[string]any); ok {
			c.Claims = m
		} else if !strictyaml.IsNull(r.Bare(n)) {
			r.Fail(n, "claims must be a mapping")
		}
	}},
	{Name: "settings", Read: func(r *strictyaml.Reader, c *Config, path string, n ast.Node) { c.Settings = r.Texts(path, n) }},
	{Name: "search_path", Read: func(r *strictyaml.Reader, c *Config, path string, n ast.Node) { c.SearchPath = r.Strings(path, n) }},
	{Name: "pooling", Read: readPooling},
	{Name: "spec_refs", Read: func(r *strictyaml.Reader, c *Config, path string, n ast.Node) {
		c.SpecRefs = map[string]string{}
		r.Mapping(path, n, func(key string, at, v ast.Node) {
			c.SpecRefs[key] = r.Str(path+"."+key, v)
			c.places["spec_refs."+key] = at.GetToken().Position.Line
		})
	}},
	{Name: "confirm", Read: func(r *strictyaml.Reader, c *Config, path string, n ast.Node) {
		strictyaml.Read(r, confirmFields, &c.Confirm, path, n)
	}},
}

var databaseFields = []strictyaml.Field[Database]{
	{Name: "migrations", Read: func(r *strictyaml.Reader, d *Database, path string, n ast.Node) { d.Migrations = r.Strings(path, n) }},
	{Name: "schema", Read: func(r *strictyaml.Reader, d *Database, path string, n ast.Node) { d.Schema = r.Str(path, n) }},
	{Name: "roles", Read: func(r *strictyaml.Reader, d *Database, path string, n ast.Node) { d.Roles = r.Texts(path, n) }},
	{Name: "statistics", Read: func(r *strictyaml.Reader, d *Database, path string, n ast.Node) { d.Statistics = r.Str(path, n) }},
}

var ruleFields = []strictyaml.Field[Rule]{
	{Name: "severity", Read: func(r *strictyaml.Reader, u *Rule, path string, n ast.Node) {
		u.Severity = r.OneOf(path, n, "error", "warning", "info")
	}},
	{Name: "enabled", Read: func(r *strictyaml.Reader, u *Rule, path string, n ast.Node) {
		b, ok := r.Bare(n).(*ast.BoolNode)
		if !ok {
			r.Fail(n, "%s must be true or false", path)
			return
		}
		u.On, u.Off = b.Value, !b.Value
	}},
	{Name: "objects", Read: readObjects},
}

var poolingFields = []strictyaml.Field[Pooling]{
	{Name: "mode", Read: func(r *strictyaml.Reader, u *Pooling, path string, n ast.Node) {
		u.Mode = r.OneOf(path, n, poolModes...)
	}},
	{Name: "prepared_statements", Read: func(r *strictyaml.Reader, u *Pooling, path string, n ast.Node) {
		b, ok := r.Bare(n).(*ast.BoolNode)
		if !ok {
			r.Fail(n, "%s must be true or false", path)
			return
		}
		u.Prepared = &b.Value
	}},
	{Name: "direct", Read: func(r *strictyaml.Reader, u *Pooling, path string, n ast.Node) { u.Direct = r.Strings(path, n) }},
}

var poolModes = []string{"transaction", "session", "none"}

// readPooling reads pooling: transaction, and pooling: {mode: transaction, direct: […]}.
func readPooling(r *strictyaml.Reader, c *Config, path string, n ast.Node) {
	switch r.Bare(n).(type) {
	case *ast.MappingNode, *ast.MappingValueNode:
		strictyaml.Read(r, poolingFields, &c.Pooling, path, n)
		if r.Err == nil && c.Pooling.Mode == "" {
			r.Fail(n, "%s has no mode: use transaction, session or none", path)
		}
	default:
		c.Pooling.Mode = r.OneOf(path, n, poolModes...)
	}
}

var tableFields = []strictyaml.Field[Table]{
	{Name: "rows", Read: func(r *strictyaml.Reader, t *Table, path string, n ast.Node) {
		rows := r.Count(path, n)
		t.Rows = &rows
	}},
	{Name: "width", Read: func(r *strictyaml.Reader, t *Table, path string, n ast.Node) {
		t.Width = int(min(r.Count(path, n), 1<<20))
	}},
	{Name: "distinct", Read: func(r *strictyaml.Reader, t *Table, path string, n ast.Node) {
		t.Distinct = map[string]int64{}
		r.Mapping(path, n, func(key string, _, v ast.Node) { t.Distinct[key] = r.Count(strictyaml.Join(path, key), v) })
	}},
	{Name: "recent", Read: func(r *strictyaml.Reader, t *Table, path string, n ast.Node) { t.Recent = r.Strings(path, n) }},
}

var confirmFields = []strictyaml.Field[Confirm]{
	{Name: "rows", Read: func(r *strictyaml.Reader, c *Confirm, path string, n ast.Node) { c.Rows = r.Count(path, n) }},
}

// Parse reads a config's text; name stands in errors.
func Parse(name string, text []byte) (*Config, error) {
	c := &Config{File: name, Version: 1, Databases: map[string]Database{}, places: map[string]int{}}
	r := strictyaml.NewReader(name, "the config")
	root := r.Parse(text)
	if r.Err == nil && root != nil {
		c.Version = 0
		strictyaml.Read(r, top, c, "", root)
		if r.Err == nil && c.Version == 0 {
			r.Fail(nil, "no version: begin with \"version: 1\"")
		}
		if c.Version != 1 {
			r.Fail(nil, "version %d is not one that this planvet reads: use 1", c.Version)
		}
	}
	if r.Err != nil {
		return nil, r.Err
	}
	if len(c.Migrations) > 0 {
		if len(c.Databases) > 0 {
			return nil, fmt.Errorf("%s: migrations and databases exclude each other: put the migrations into a database", name)
		}
		c.Databases["default"] = Database{Migrations: c.Migrations}
	}
	return c, nil
}

func readDatabases(r *strictyaml.Reader, c *Config, path string, n ast.Node) {
	r.Mapping(path, n, func(key string, at, v ast.Node) {
		var d Database
		strictyaml.Read(r, databaseFields, &d, strictyaml.Join(path, key), v)
		if r.Err == nil && len(d.Migrations) == 0 && d.Schema == "" {
			r.Fail(at, "%s has neither migrations nor schema", strictyaml.Join(path, key))
		}
		c.Databases[key] = d
	})
}

// readRules reads rules: NAME: off, NAME: error, NAME: {severity: info, objects: …}.
func readRules(r *strictyaml.Reader, c *Config, path string, n ast.Node) {
	c.Rules = map[string]Rule{}
	r.Mapping(path, n, func(key string, at, v ast.Node) {
		c.places["rules."+key] = at.GetToken().Position.Line
		var u Rule
		switch b := r.Bare(v).(type) {
		case *ast.BoolNode:
			u.On, u.Off = b.Value, !b.Value
		case *ast.MappingNode, *ast.MappingValueNode:
			strictyaml.Read(r, ruleFields, &u, strictyaml.Join(path, key), v)
		default:
			switch s := r.OneOf(strictyaml.Join(path, key), v, "off", "on", "error", "warning", "info"); s {
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

func readTables(r *strictyaml.Reader, c *Config, path string, n ast.Node) {
	c.Tables = map[string]Table{}
	r.Mapping(path, n, func(key string, _, v ast.Node) {
		var t Table
		strictyaml.Read(r, tableFields, &t, strictyaml.Join(path, key), v)
		c.Tables[key] = t
	})
}

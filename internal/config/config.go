package config

import "cmp"

// Config is planvet.yaml, or the defaults where there is none.
type Config struct {
	// File is the path that the config was read from, "" for the defaults.
	File string
	// Version is the format's version: 1.
	Version int
	// Databases are the databases by name. Migrations stands for one of them,
	// named "default"; after Parse, Databases holds it.
	Databases  map[string]Database
	Migrations Strings
	// Go are package patterns, as for go list; empty for ./...
	Go Strings
	// Exclude are globs of paths that are not read.
	Exclude Strings
	// Queries are globs of .sql files that hold queries.
	Queries Strings
	// Rules are settings by the name of a rule or of a group of rules.
	Rules map[string]Rule
	// FailOn is error, warning, info or never; "" for the default.
	FailOn string
	// Roles give the role of statements by Go package or path.
	Roles map[string]string
	// Tables give sizes by table name, with or without its schema.
	Tables map[string]Table
	// Statistics is a file of planvet stats dump, for databases that name none.
	Statistics string
	// Postgres is the major version, 0 for the default.
	Postgres int
	// Claims are the JWT claims that policies read.
	Claims map[string]any
	// Settings are the session settings that policies read.
	Settings   map[string]string
	SearchPath Strings
	// Pooling is how the project's connections are pooled.
	Pooling Pooling
	// SpecRefs are the user's own references by rule name.
	SpecRefs map[string]string
	Confirm  Confirm

	// places has the line of each key of rules and spec_refs, for CheckRules.
	places map[string]int
}

// Database is one database of the project.
type Database struct {
	// Migrations are folders, files or globs, in order.
	Migrations Strings
	// Schema is a schema dump to read instead.
	Schema string
	// Roles are as Config.Roles, for this database.
	Roles map[string]string
	// Statistics is this database's file of planvet stats dump.
	Statistics string
}

// Rule is what a config says of one rule, or of a group.
type Rule struct {
	// Severity is error, warning or info, "" where the rule's own stands.
	Severity string
	// Off switches the rule off; On switches a rule on that is off by default.
	// A severity alone switches on too.
	Off, On bool
	// Objects say what else holds for single objects, in the file's order.
	Objects []Object
}

// Table is what a config says of one table.
type Table struct {
	// Rows is the table's row count; nil where it is not given.
	Rows *int64
	// Width is the average width of a row in bytes, 0 where it is not given; Distinct are
	// numbers of distinct values by column. Recent are the columns that grow in the order
	// of the rows; nil means all times.
	Width    int
	Distinct map[string]int64
	Recent   Strings
}

// Confirm are the settings of the confirmation.
type Confirm struct {
	// Rows are made in each table of a shadow; 0 for the default.
	Rows int64
}

// Pooling is what a config says of connection pools.
type Pooling struct {
	// Mode is transaction, session or none; "" where the config does not say.
	Mode string
	// Prepared tells whether the pooler follows named statements of the protocol; nil where
	// the config does not say.
	Prepared *bool
	// Direct are globs of paths whose code connects to the server itself.
	Direct Strings
}

// Strings is a list that may be written as one string.
type Strings []string

// StatisticsOf is the statistics file of a database; "" where it has none.
func (c *Config) StatisticsOf(database string) string {
	return cmp.Or(c.Databases[database].Statistics, c.Statistics)
}

// Rows returns the row count that the config gives a table, by schema.name or by
// name alone, and whether it gives one.
func (c *Config) Rows(schema, name string) (int64, bool) {
	if rows := c.Table(schema, name).Rows; rows != nil {
		return *rows, true
	}
	return 0, false
}

// Table is what the config says of a table, by name alone and, before that, by
// schema.name.
func (c *Config) Table(schema, name string) Table {
	t, plain := c.Tables[schema+"."+name], c.Tables[name]
	if t.Rows == nil {
		t.Rows = plain.Rows
	}
	if t.Distinct == nil {
		t.Distinct = plain.Distinct
	}
	if t.Recent == nil {
		t.Recent = plain.Recent
	}
	t.Width = cmp.Or(t.Width, plain.Width)
	return t
}

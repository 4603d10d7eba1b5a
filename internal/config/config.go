package config

// Config is planvet.yaml, or the defaults where there is none.
type Config struct {
	// File is the path that the config was read from, "" for the defaults.
	File string `yaml:"-"`
	// Version is the format's version: 1.
	Version int `yaml:"version"`
	// Databases are the databases by name. Migrations stands for one of them,
	// named "default"; after Parse, Databases holds it.
	Databases  map[string]Database `yaml:"databases"`
	Migrations Strings             `yaml:"migrations"`
	// Go are package patterns, as for go list; empty for ./...
	Go Strings `yaml:"go"`
	// Exclude are globs of paths that are not read.
	Exclude Strings `yaml:"exclude"`
	// Queries are globs of .sql files that hold queries.
	Queries Strings `yaml:"queries"`
	// Rules are settings by rule name.
	Rules map[string]Rule `yaml:"rules"`
	// FailOn is error, warning, info or never; "" for the default.
	FailOn string `yaml:"fail_on"`
	// Roles give the role of statements by Go package or path.
	Roles map[string]string `yaml:"roles"`
	// Tables give sizes by table name, with or without its schema.
	Tables map[string]Table `yaml:"tables"`
	// Postgres is the major version, 0 for the default.
	Postgres int `yaml:"postgres"`
	// Claims are the JWT claims that policies read.
	Claims map[string]any `yaml:"claims"`
	// Settings are the session settings that policies read.
	Settings   map[string]string `yaml:"settings"`
	SearchPath Strings           `yaml:"search_path"`
	// SpecRefs are the user's own references by rule name.
	SpecRefs map[string]string `yaml:"spec_refs"`
	Confirm  Confirm           `yaml:"confirm"`

	lines map[string]int // "rules.NAME" to its line
}

// Database is one database of the project.
type Database struct {
	// Migrations are folders, files or globs, in order.
	Migrations Strings `yaml:"migrations"`
	// Schema is a schema dump to read instead.
	Schema string `yaml:"schema"`
	// Roles are as Config.Roles, for this database.
	Roles map[string]string `yaml:"roles"`
}

// Rule is what a config says of one rule.
type Rule struct {
	// Severity is "" where the rule's own stands.
	Severity string `yaml:"severity"`
	// Off and On are set for off and on; neither leaves the rule's default.
	Off, On bool `yaml:"-"`
}

// Table is what a config says of one table.
type Table struct {
	// Rows is the table's row count; nil where it is not given.
	Rows *int64 `yaml:"rows"`
}

// Confirm are the settings of the confirmation.
type Confirm struct {
	// Rows are made in each table of a shadow; 0 for the default.
	Rows int64 `yaml:"rows"`
}

// Strings is a list that may be written as one string.
type Strings []string

// Rows returns the row count that the config gives a table, by schema.name or by
// name alone, and whether it gives one.
func (c *Config) Rows(schema, name string) (int64, bool) {
	for _, k := range []string{schema + "." + name, name} {
		if t, ok := c.Tables[k]; ok && t.Rows != nil {
			return *t.Rows, true
		}
	}
	return 0, false
}

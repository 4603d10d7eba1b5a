package migrationscan

import (
	"regexp"
	"slices"
	"strings"
)

// otherDialects are words in folder and file names that mark another database;
// "cockroach" speaks PostgreSQL's protocol, yet not its DDL.
var otherDialects = []string{
	"mysql", "mariadb", "sqlite", "mssql", "sqlserver", "oracle", "cockroach", "clickhouse", "cassandra", "spanner",
	"tidb", "duckdb", "snowflake", "bigquery", "redshift", "libsql", "turso",
}

// d1 is Cloudflare's SQLite.
var d1 = regexp.MustCompile(`(?:^|[._-])d1(?:[._-]|$)`)

var ownDialect = regexp.MustCompile(`(?i)postgres|pgsql|pgx|(?:^|[._-])(?:pg|psql)(?:[._-]|$)`)

// dialectOf tells another database from the name of a folder or a file, "" where
// it is PostgreSQL's or none is named.
func dialectOf(name string) string {
	name = strings.ToLower(name)
	if ownDialect.MatchString(name) {
		return ""
	}
	for _, d := range otherDialects {
		if strings.Contains(name, d) {
			return d
		}
	}
	if d1.MatchString(name) {
		return "sqlite"
	}
	return ""
}

// otherSyntax is what PostgreSQL refuses; a pattern is tried where a text has one
// of the words.
var otherSyntax = []struct {
	dialect string
	words   []string
	pattern *regexp.Regexp
}{
	{"mysql", []string{"auto_increment", "innodb", "`"}, regexp.MustCompile("(?i)\\bauto_increment\\b|\\bengine\\s*=\\s*innodb\\b|create table (?:if not exists )?`|alter table `")},
	{"sqlite", []string{"autoincrement", "pragma", "strict;", "unixepoch", "datetime("}, regexp.MustCompile(`(?i)\bautoincrement\b|\bpragma\s+foreign_keys\b|\)\s*strict\s*;|\bunixepoch\s*\(|\bdatetime\s*\(\s*'now'`)},
	{"mysql or sqlite", []string{"datetime", "tinyint"}, regexp.MustCompile(`(?im)^\s*["\w]+\s+(?:datetime|tinyint)(?:\s*\(\d+\))?\s*(?:,|$|\)|not\s+null|null|default\s)`)},
	{"clickhouse", []string{"mergetree", "lowcardinality", "distributed", "= null"}, regexp.MustCompile(`(?i)\bengine\s*=?\s*(?:\w*mergetree|null|distributed)\b|\blowcardinality\(`)},
	{"mssql", []string{"identity", "nvarchar", "\ngo"}, regexp.MustCompile(`(?im)\bidentity\s*\(\s*1\s*,\s*1\s*\)|\bnvarchar\s*\(|^\s*go\s*$`)},
}

// dialectOfText tells another database from its syntax. lower is text in lower case.
func dialectOfText(text, lower string) string {
	for _, o := range otherSyntax {
		if slices.ContainsFunc(o.words, func(w string) bool { return strings.Contains(lower, w) }) && o.pattern.MatchString(text) {
			return o.dialect
		}
	}
	return ""
}

// withoutComments drops comments; quotes are not looked at, as the text is only
// searched for words.
func withoutComments(text string) string {
	var b strings.Builder
	b.Grow(len(text))
	for text != "" {
		i := strings.IndexAny(text, "-/")
		if i < 0 || i+1 == len(text) {
			break
		}
		var end int
		switch text[i : i+2] {
		case "--":
			end = strings.IndexByte(text[i:], '\n')
		case "/*":
			if end = strings.Index(text[i:], "*/"); end >= 0 {
				end += 2
			}
		default:
			b.WriteString(text[:i+1])
			text = text[i+1:]
			continue
		}
		b.WriteString(text[:i])
		b.WriteByte(' ')
		if end < 0 {
			return b.String()
		}
		text = text[i+end:]
	}
	b.WriteString(text)
	return b.String()
}

package migrationscan

import (
	"regexp"
	"strings"
)

// otherDialects are words in folder and file names that mark another database;
// "cockroach" speaks PostgreSQL's protocol, yet not its DDL.
var otherDialects = []string{
	"mysql", "mariadb", "sqlite", "mssql", "sqlserver", "oracle", "cockroach", "clickhouse", "cassandra", "spanner",
	"tidb", "duckdb", "snowflake", "bigquery", "redshift",
}

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
	return ""
}

var (
	otherSyntax = []struct {
		dialect string
		pattern *regexp.Regexp
	}{
		{"mysql", regexp.MustCompile("(?i)\\bauto_increment\\b|\\bengine\\s*=\\s*innodb\\b|create table (?:if not exists )?`|alter table `")},
		{"sqlite", regexp.MustCompile(`(?i)\bautoincrement\b|\bpragma\s+foreign_keys\b|\bstrict\s*;\s*$`)},
		{"clickhouse", regexp.MustCompile(`(?i)\bengine\s*=?\s*(?:\w*mergetree|null|distributed)\b|\blowcardinality\(`)},
		{"mssql", regexp.MustCompile(`(?im)\bidentity\s*\(\s*1\s*,\s*1\s*\)|\bnvarchar\s*\(|^\s*go\s*$`)},
	}
)

// dialectOfText tells another database from syntax that PostgreSQL refuses.
func dialectOfText(text string) string {
	text = withoutComments(text)
	for _, o := range otherSyntax {
		if o.pattern.MatchString(text) {
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
		end := -1
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

package plan

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
)

var concurrently = regexp.MustCompile(`(?i)^(\s*(?:create|drop)\s+(?:unique\s+)?index\s+)concurrently\b`)

// InPlace is a CREATE or DROP INDEX without CONCURRENTLY: where nobody else is, or in a
// transaction, which CONCURRENTLY cannot be in.
func InPlace(sql string) string { return concurrently.ReplaceAllString(sql, "$1") }

// ErrNoHypoPG says that a server cannot plan with indexes that it does not have.
var ErrNoHypoPG = errors.New("HypoPG is not on this server")

// ValidSQL lets the planner of a server see some indexes, given by oid, or hides
// them: one that is not valid is maintained and never read. Only a superuser may run
// it, and it is for servers of planvet's own.
func ValidSQL(oids []string, on bool) string {
	return fmt.Sprintf("update pg_catalog.pg_index set indisvalid = %v where indexrelid = any('{%s}'::oid[])", on, strings.Join(oids, ","))
}

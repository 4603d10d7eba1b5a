package plan

import (
	"fmt"
	"strings"
)

// ValidSQL lets the planner of a server see some indexes, given by oid, or hides
// them: one that is not valid is maintained and never read. Only a superuser may run
// it, and it is for servers of planvet's own.
func ValidSQL(oids []string, on bool) string {
	return fmt.Sprintf("update pg_catalog.pg_index set indisvalid = %v where indexrelid = any('{%s}'::oid[])", on, strings.Join(oids, ","))
}

package shadow

import (
	"context"

	"github.com/jackc/pgx/v5"

	"github.com/planvet/planvet/catalog"
)

// RowReport says what MakeRows did for one table.
type RowReport struct {
	// Rows are in the table now.
	Rows int64
	// Problem says why rows could not be made; "" where they could.
	Problem string
}

// MakeRows fills tables with rows made from the schema: wanted[t] rows in t, and
// as many in the parents that its foreign keys need. Tables that hold rows
// already are left alone. The same catalog and wishes give the same rows.
func MakeRows(ctx context.Context, conn *pgx.Conn, cat *catalog.Catalog, wanted map[catalog.Name]int64) (map[catalog.Name]RowReport, error) {
	return nil, nil
}

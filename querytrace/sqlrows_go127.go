//go:build go1.27

package querytrace

import "database/sql/driver"

// scanningRows keeps the inner rows' own scanning, which Go 1.27 brought.
type scanningRows struct {
	*rows
	inner driver.RowsColumnScanner
}

func (r *scanningRows) NextRow() error {
	err := r.inner.NextRow()
	r.advanced(err)
	return err
}

func (r *scanningRows) ScanColumn(ctx driver.ScanContext, index int, dest any) error {
	return r.inner.ScanColumn(ctx, index, dest)
}

func scanning(r *rows) driver.Rows {
	if inner, ok := r.Rows.(driver.RowsColumnScanner); ok {
		return &scanningRows{r, inner}
	}
	return r
}

package querytrace

import (
	"database/sql/driver"
	"errors"
	"io"
	"reflect"
)

// rows counts the rows that are read. An optional interface that the inner rows lack
// answers as database/sql does without it.
type rows struct {
	driver.Rows
	call *call
	read int64
	end  bool // all were read
}

var _ interface {
	driver.RowsNextResultSet
	driver.RowsColumnTypeScanType
	driver.RowsColumnTypeDatabaseTypeName
	driver.RowsColumnTypeLength
	driver.RowsColumnTypeNullable
	driver.RowsColumnTypePrecisionScale
} = (*rows)(nil)

// wrapRows returns the inner rows themselves where nobody records.
func wrapRows(c *call, inner driver.Rows, err error) (driver.Rows, error) {
	if c == nil {
		return inner, err
	}
	if err != nil {
		c.endSQL(0, err)
		return inner, err
	}
	return scanning(&rows{Rows: inner, call: c}), nil
}

func (r *rows) Next(dest []driver.Value) error {
	err := r.Rows.Next(dest)
	r.advanced(err)
	return err
}

func (r *rows) advanced(err error) {
	switch {
	case err == nil:
		r.read++
	case errors.Is(err, io.EOF):
		r.end = true
	default:
		r.call.end(r.read, err)
	}
}

func (r *rows) Close() error {
	err := r.Rows.Close()
	// QueryRow closes after its row, database/sql after the last: one row is one row.
	if r.end || r.read > 0 {
		r.call.end(r.read, err)
	} else {
		r.call.end(-1, err)
	}
	return err
}

func (r *rows) HasNextResultSet() bool {
	n, ok := r.Rows.(driver.RowsNextResultSet)
	return ok && n.HasNextResultSet()
}

func (r *rows) NextResultSet() error {
	if n, ok := r.Rows.(driver.RowsNextResultSet); ok {
		return n.NextResultSet()
	}
	return io.EOF
}

func (r *rows) ColumnTypeScanType(i int) reflect.Type {
	if c, ok := r.Rows.(driver.RowsColumnTypeScanType); ok {
		return c.ColumnTypeScanType(i)
	}
	return reflect.TypeFor[any]()
}

func (r *rows) ColumnTypeDatabaseTypeName(i int) string {
	if c, ok := r.Rows.(driver.RowsColumnTypeDatabaseTypeName); ok {
		return c.ColumnTypeDatabaseTypeName(i)
	}
	return ""
}

func (r *rows) ColumnTypeLength(i int) (int64, bool) {
	if c, ok := r.Rows.(driver.RowsColumnTypeLength); ok {
		return c.ColumnTypeLength(i)
	}
	return 0, false
}

func (r *rows) ColumnTypeNullable(i int) (nullable, ok bool) {
	if c, ok := r.Rows.(driver.RowsColumnTypeNullable); ok {
		return c.ColumnTypeNullable(i)
	}
	return false, false
}

func (r *rows) ColumnTypePrecisionScale(i int) (precision, scale int64, ok bool) {
	if c, ok := r.Rows.(driver.RowsColumnTypePrecisionScale); ok {
		return c.ColumnTypePrecisionScale(i)
	}
	return 0, 0, false
}

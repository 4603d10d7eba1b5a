//go:build !go1.27

package querytrace

import "database/sql/driver"

func scanning(r *rows) driver.Rows { return r }
